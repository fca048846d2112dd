"""A plan knows a rehearsal to be about its files by one digest, which two looks must agree on."""

from dataclasses import replace

from integrations.postgres.proofs.files import read_files
from tests.integrations.postgres.drill.hall import Hall


async def test_the_proofs_and_the_rehearsal_name_the_same_files(hall: Hall) -> None:
    """Also which of them lead back: a file that changes sides makes another digest."""
    up = hall.write("1.sql", "alter table cases add column court text;\n")
    down = hall.write("d.sql", "alter table cases drop column court;\n")
    plan = replace(hall.stage.run.plan, migrations=(up,), down=(down,))

    report = await hall.rehearse(up, down=(down,))
    files = await read_files(hall.stage.target, plan)
    both = await read_files(hall.stage.target, replace(plan, migrations=(up, down), down=()))

    assert report.files == files.digest
    assert files.digest != both.digest
