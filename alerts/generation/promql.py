"""
The few shapes of PromQL that rules are made of.
"""

from __future__ import annotations

from alerts import conventions as c

HEALER_UP = f'{c.UP}{{job="{c.Job.HEALER}"}} == 1'


def by(labels: tuple[str, ...]) -> str:
    """
    A label list: `platform, service`.
    """
    return ", ".join(labels)


def of_job(metric: str, job: c.Job) -> str:
    """
    A metric of one scrape job.
    """
    return f'{metric}{{job="{job}"}}'


def of_indicator(record: str, *indicators: str) -> str:
    """
    A record of objectives, of those with these indicators.
    """
    how, value = (
        ("=", indicators[0]) if len(indicators) == 1 else ("=~", "|".join(indicators))
    )
    return f'{record}{{{c.INDICATOR}{how}"{value}"}}'


def per_objective(objectives: str, of_service: str) -> str:
    """
    A service's value under each of its objectives.
    """
    return f"0 * {objectives}\n+ on ({by(c.SERVICE_LABELS)}) group_left () {of_service}"


def slower_than_promised(indicator: str, answered: str, in_time: str) -> str:
    """
    Of what was answered, per service, what was not within the bucket that ends at each objective's threshold.
    """
    service = by(c.SERVICE_LABELS)
    promised = of_indicator(c.REC_THRESHOLD_INFO, indicator)
    return (
        f"clamp_min(\n"
        f"  sum by ({by(c.OBJECTIVE_LABELS)}) (\n"
        f"    0 * {promised}\n"
        f"    + on ({service}) group_left () {answered}\n"
        f"    - on ({by((*c.OBJECTIVE_LABELS, c.LE))}) (\n"
        f"      0 * {promised}\n"
        f"      + on ({service}, {c.LE}) group_left () {in_time}\n"
        f"    )\n"
        f"  ), 0\n)"
    )


def of_member(expr: str, *, how: str = "sum") -> str:
    """
    Octavia's series of members, which know ids only, under the member's names.
    """
    return (
        f"{how} by ({by(c.MEMBER_LABELS)}) (\n"
        f"  {expr}\n"
        f"  * on ({c.MEMBER_ID}) group_left ({c.GROUP}, {c.SLOT}, {c.INSTANCE_NAME})"
        f" {c.REC_MEMBER_INFO}\n)"
    )


def in_service(expr: str) -> str:
    """
    Only of members that take traffic and have served before: neither booting, nor drained, nor unknown.
    """
    return f"{expr}\nand on ({by(c.MEMBER_LABELS)}) {c.REC_MEMBER_IN_SERVICE}"


def against_pool(value: str, *, factor: float) -> str:
    """
    Of members in service, those whose value exceeds the lower quartile of their group by a factor.

    The lower quartile, not the median: in a pool of two, or with half of a pool sick, the median is sick itself.
    """
    here = f"{value} and on ({by(c.MEMBER_LABELS)}) {c.REC_MEMBER_IN_SERVICE}"
    group = by((*c.SERVICE_LABELS, c.GROUP))
    return (
        f"({here})\n"
        f"> on ({group}) group_left ()\n"
        f"{factor:g} * quantile by ({group}) (0.25, {here})"
    )


def remembered(expr: str, record: str) -> str:
    """
    The healer's word; while the healer is down, its last word for as long as the service is measured.
    """
    return (
        f"{expr}\n"
        f"or ({record}"
        f" and on ({by(c.SERVICE_LABELS)}) {c.POOL_RESPONSES}"
        f" unless on () {HEALER_UP})"
    )
