"""How work fails. Apart from etl.tasks: DAG files name these in their rules, and must be read quickly."""


class Refused(Exception):
    """What was asked cannot be done as things stand; the message says what, where and what to do next."""


class PlatformsFailed(Exception):
    """Platforms that did not answer whole: worth asking again."""


class PlatformsRejected(Exception):
    """Platforms whose answer cannot be used, or that refuse us: asking again would not help."""


class DayIncomplete(Exception):
    """The day's tables are there, but not everybody's figures are in them."""


class AlertsFailed(Exception):
    """Alerts that no channel of their recipients took: asking again at once would not help."""


class TablesIncomplete(Exception):
    """Tables that could not be made, or that a target did not take: the next run tries again."""
