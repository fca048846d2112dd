"""The run's backup, proven whole by its manifest before anything is made of it."""

from bot.ports import Context, StepError
from integrations.postgres.beside import Names
from integrations.postgres.manifest import damage, read_manifest
from integrations.postgres.plan import backup_folder
from integrations.postgres.restore import Copy
from integrations.postgres.scene import backup_of
from integrations.postgres.settings import Limits


async def whole_backup(context: Context, names: Names, limits: Limits) -> Copy:
    """Every checksum matches, the manifest is the recorded one, and it is one of this database; or ``StepError``."""
    folder = backup_folder(context)
    await context.progress("Checking the backup's checksums", 0.0)
    manifest, digest = read_manifest(folder)
    broken = "its manifest is not the recorded one" if digest != backup_of(context) else None
    broken = broken or await damage(folder, manifest)
    if not broken and manifest.database != names.live:
        broken = f"it is one of the database {manifest.database}"
    if broken:
        raise StepError(
            f"The backup in {folder} is not restored: {broken}. Nothing was changed.",
            "Put a whole copy of that folder back, then type /migrate retry; or take over and restore another.",
        )
    return Copy(context=context, names=names, folder=folder, manifest=manifest, digest=digest, limits=limits)
