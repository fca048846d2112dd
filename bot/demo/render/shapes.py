"""Records as Render's JSON, with every field that its OpenAPI document requires."""

from bot.demo.render.state import OWNER, DeployRecord, Json, ServiceRecord

REGION = "oregon"


def service_json(service: ServiceRecord) -> Json:
    """Schema ``service``; it has no field for health."""
    return {
        "id": service.id,
        "name": service.name,
        "slug": service.name,
        "ownerId": OWNER,
        "type": service.kind,
        "autoDeploy": "yes" if service.auto_deploy else "no",
        "branch": "main",
        "repo": "https://github.com/example/casework",
        "rootDir": "",
        "notifyOnFail": "default",
        "createdAt": "2026-01-05T09:00:00Z",
        "updatedAt": "2026-11-20T09:00:00Z",
        "dashboardUrl": f"https://dashboard.render.com/{service.id}",
        "suspended": "suspended" if service.suspended else "not_suspended",
        "suspenders": list(service.suspenders),
        "serviceDetails": _details(service),
    }


def _details(service: ServiceRecord) -> Json:
    common: Json = {
        "buildPlan": "starter",
        "env": "python",
        "runtime": "python",
        "envSpecificDetails": _commands(service),
        "plan": "free" if service.free else "starter",
        "region": REGION,
    }
    if service.kind == "cron_job":
        return {**common, "schedule": "0 3 * * *"}
    common["numInstances"] = 1
    if service.kind == "web_service":
        mode = {"enabled": service.maintenance, "uri": service.maintenance_uri}
        web = {"healthCheckPath": "/health", "openPorts": [], "url": service.url, "maintenanceMode": mode}
        return {**common, **web}
    if service.kind == "private_service":
        return {**common, "openPorts": [], "url": f"{service.name}:10000"}
    return common


def _commands(service: ServiceRecord) -> Json:
    own: Json = {"buildCommand": "make setup", "startCommand": "make serve"}
    return {**own, "preDeployCommand": service.pre_deploy} if service.pre_deploy else own


def deploy_json(deploy: DeployRecord, *, nulls: bool) -> Json:
    """Schema ``deploy``; the real service sends null where something is not there (``nulls``)."""
    found: Json = {
        "id": deploy.id,
        "commit": {"id": deploy.commit, "message": f"Release {deploy.commit}", "createdAt": deploy.created},
        "status": deploy.status,
        "trigger": deploy.trigger,
        "createdAt": deploy.created,
        "updatedAt": deploy.finished or deploy.created,
        "startedAt": deploy.created,
    }
    if deploy.finished:
        return {**found, "finishedAt": deploy.finished}
    return {**found, "finishedAt": None, "image": None} if nulls else found
