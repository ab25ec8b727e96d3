"""One measured thing beside its floor."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import quantiles


def percentile(values: list[float], share: int) -> float:
    """The value below which `share` percent of the measured ones lie."""
    if len(values) == 1:
        return values[0]
    return quantiles(values, n=100, method="inclusive")[share - 1]


@dataclass
class Figure:
    """Seconds of each try, the floor's seconds in the same run, and how many times the floor it may take."""

    name: str
    floor: str
    most: float | None
    seconds: list[float] = field(default_factory=list)
    floor_seconds: list[float] = field(default_factory=list)
    note: str = ""
    failure: str = ""

    @property
    def p50(self) -> float:
        return percentile(self.seconds, 50)

    @property
    def p95(self) -> float:
        return percentile(self.seconds, 95)

    @property
    def floor_p50(self) -> float:
        return percentile(self.floor_seconds, 50)

    @property
    def ratio(self) -> float:
        return self.p50 / self.floor_p50

    @property
    def is_met(self) -> bool | None:
        """`None` when there is nothing to meet."""
        if self.failure:
            return False
        return None if self.most is None else self.ratio <= self.most

    def plain(self) -> dict[str, object]:
        """As the report keeps it, times in milliseconds."""
        if self.failure:
            return {"name": self.name, "failure": self.failure, "met": False}
        return {
            "name": self.name,
            "tries": len(self.seconds),
            "p50_ms": round(self.p50 * 1000, 2),
            "p95_ms": round(self.p95 * 1000, 2),
            "floor": self.floor,
            "floor_p50_ms": round(self.floor_p50 * 1000, 2),
            "floor_p95_ms": round(percentile(self.floor_seconds, 95) * 1000, 2),
            "ratio": round(self.ratio, 2),
            "target": self.most,
            "met": self.is_met,
            "note": self.note,
        }
