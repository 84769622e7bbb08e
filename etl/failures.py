"""How the tasks of a run fail. Apart from etl.tasks: DAG files name these in their rules, and must be read quickly."""


class PlatformsFailed(Exception):
    """Platforms that did not answer whole: worth asking again."""


class PlatformsRejected(Exception):
    """Platforms whose answer cannot be used, or that refuse us: asking again would not help."""


class DayIncomplete(Exception):
    """The day's tables are there, but not everybody's figures are in them."""
