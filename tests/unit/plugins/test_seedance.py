"""What every component of Airflow loads to know that there is a page."""

from __future__ import annotations

import subprocess
import sys
from urllib.parse import urlsplit

import httpx
import pytest
from airflow.plugins_manager import AirflowPlugin

from seedance_provider.plugins.seedance import SeedancePlugin

(APP,) = SeedancePlugin.fastapi_apps


def test_is_a_plugin_of_airflow():
    assert issubclass(SeedancePlugin, AirflowPlugin)
    SeedancePlugin.validate()
    assert SeedancePlugin.name == "seedance"


def test_to_load_it_loads_nothing_of_the_page():
    program = "import sys, seedance_provider.plugins.seedance; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=120)
    loaded = set(done.stdout.splitlines()[-1].split())
    ours = {name for name in loaded if name.startswith("seedance_provider")}
    # To load the provider info is Airflow's own doing, but for 3.1.
    assert ours - {"seedance_provider.get_provider_info"} == {
        "seedance_provider",
        "seedance_provider.plugins",
        "seedance_provider.plugins.seedance",
    }
    assert loaded.isdisjoint({"fastapi", "airflow.api_fastapi.core_api.security", "av", "aiohttp"})


@pytest.mark.parametrize("view", SeedancePlugin.external_views, ids=lambda view: view["destination"])
def test_a_view_leads_to_the_page_wherever_airflow_is(view):
    from airflow.api_fastapi.core_api.datamodels.plugins import ExternalViewResponse

    assert ExternalViewResponse.model_validate(view).href == view["href"]
    parts = urlsplit(view["href"])
    assert (parts.scheme, parts.netloc) == ("", "")
    # Relative, and yet at the page.
    assert f"/{parts.path}" == f"{APP['url_prefix']}/videos/"


def test_no_view_hides_another_one():
    routes = [view["url_route"] for view in SeedancePlugin.external_views]
    assert len(set(routes)) == len(routes) == 2


@pytest.mark.usefixtures("application")
async def test_answers_as_the_application():
    # Below a prefix, as Airflow mounts it.
    transport = httpx.ASGITransport(APP["app"], root_path=APP["url_prefix"])
    async with httpx.AsyncClient(transport=transport, base_url="http://airflow.example") as client:
        assert (await client.get("/seedance/videos/")).status_code == 401
        assert (await client.get("/seedance/gone")).status_code == 404
