"""``make rights-cluster``: ask the available cluster who may do what in it, and write the matrix and the page of it."""

from operations.devtools.emulator import local_cluster
from operations.shared.errors import Failure, run_command
from operations.supply_chain.charts import fetched
from settings.release_sets import SETS
from tests.platform import controllers, page, rights


def write() -> None:
    """Ask, and write both.

    Raises:
        Failure: the charts whose rights are asked about are not available.
    """
    charts = fetched()
    if charts is None:
        raise Failure("the controllers' rights are in their charts: make charts")
    with rights.prepared(local_cluster.kubernetes()) as cluster:
        answers = rights.asked(cluster)
        helm = local_cluster.tool("helm")
        answers["controllers"] = {
            name: {"made_of": controllers.made_of(name), "accounts": controllers.asked(cluster, name, helm, charts)}
            for name in SETS
        }
    rights.FILE.write_text(rights.written(answers))
    page.FILE.write_text(page.renewed(page.FILE.read_text(), answers))


if __name__ == "__main__":
    run_command(write)
