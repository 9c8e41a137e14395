"""Small files in the layout of FRED and the French library, made from a seed; nothing in them is real."""

from __future__ import annotations

import numpy as np

from tests.market.server import zipped

SIX = ("SMALL LoBM", "ME1 BM2", "SMALL HiBM", "BIG LoBM", "ME2 BM2", "BIG HiBM")
END = "\r\n"
FIRST, LAST = np.datetime64("1981-07"), np.datetime64("2010-06")
PREAMBLE = (
    "This file was created using the 201006 CRSP database.\r\n"
    "It contains value- and equal-weighted returns for portfolios formed on ME and BEME.\r\n\r\n"
    "Missing data are indicated by -99.99 or -999.\r\n\r\n\r\n"
)
COPYRIGHT = "\r\nCopyright 2010 Eugene F. Fama and Kenneth R. French\r\n"

_MONTHS = np.arange(FIRST, LAST + 1)
_DAYS = np.arange(np.datetime64("2005-01-03"), np.datetime64("2010-06-30"))
_DAYS = _DAYS[np.is_busday(_DAYS)]
_BEME_TITLE = (
    "For portfolios formed in June of year t\r\n"
    "  Value Weight Average of BE/ME Calculated for June of t to June of t+1 as:\r\n"
    "  Sum[ME(Mth) * BE(Fiscal Year t-1) / ME(Dec t-1)] / Sum[ME(Mth)]"
)


def _table(title: str, headers: tuple[str, ...], dates: np.ndarray, values: np.ndarray) -> str:
    stamps = [str(date).replace("-", "") for date in dates]
    rows = [f"{s}," + ",".join(f"{v:9.4f}" for v in row) for s, row in zip(stamps, values, strict=True)]
    heading = [f"  {title}"] if title else []
    return END.join([*heading, "," + ",".join(headers), *rows]) + END + END


def _six(dates: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(len(dates))
    returns = np.round(random.normal(0.8 * scale, 4.0 * scale, (len(dates), 6)), 4)
    firms = random.integers(40, 900, (len(dates), 6)).astype(float)
    size = np.round(random.uniform(5.0, 50.0, (len(dates), 6)) * [1, 1, 1, 40, 40, 40], 4)
    beme = np.round(random.uniform(0.3, 2.0, (len(dates), 6)), 4)
    return returns, firms, size, beme


def _french() -> dict[str, bytes]:
    files = {}
    for suffix, dates, scale, size_title in (
        ("", _MONTHS, 1.0, "Average Market Cap"),
        ("_daily", _DAYS, 0.2, "Average Firm Size"),
    ):
        frequency = "Daily" if suffix else "Monthly"
        returns, firms, size, beme = _six(dates, scale)
        text = PREAMBLE + _table(f"Average Value Weighted Returns -- {frequency}", SIX, dates, returns)
        text += _table(f"Average Equal Weighted Returns -- {frequency}", SIX, dates, returns + 0.1)
        text += _table("Number of Firms in Portfolios", SIX, dates, firms)
        text += _table(size_title, SIX, dates, size)
        if not suffix:
            text += _table(_BEME_TITLE, SIX, dates, beme)
        files[f"6_Portfolios_2x3{suffix}"] = text + COPYRIGHT

        bill = np.full(len(dates), 0.3 * scale)
        market = (returns * firms * size).sum(axis=1) / (firms * size).sum(axis=1) - bill
        smb = returns[:, :3].mean(axis=1) - returns[:, 3:].mean(axis=1)
        hml = returns[:, [2, 5]].mean(axis=1) - returns[:, [0, 3]].mean(axis=1)
        factors = np.round(np.column_stack([market, smb, hml, bill]), 2)
        text = PREAMBLE + _table("", ("Mkt-RF", "SMB", "HML", "RF"), dates, factors)
        files[f"F-F_Research_Data_Factors{suffix}"] = text + COPYRIGHT
        thirds = ("<= 0", "Lo 30", "Med 40", "Hi 30", "Dec 2")
        text = _table(
            f"Value Weight Returns -- {frequency}",
            thirds,
            dates,
            np.c_[np.full(len(dates), -99.99), returns[:, :4]],
        )
        files[f"Portfolios_Formed_on_ME{suffix}"] = PREAMBLE + text + COPYRIGHT
    return {f"{name}_CSV.zip": zipped(f"{name}.csv", text.encode()) for name, text in files.items()}


def fred_csv(name: str, dates: np.ndarray, values: np.ndarray) -> bytes:
    """Return a series as ``fredgraph.csv`` writes it; NaN is an empty field."""
    rows = [f"{d},{'' if np.isnan(v) else f'{v:.4f}'}" for d, v in zip(dates, values, strict=True)]
    return "\n".join([f"observation_date,{name}", *rows, ""]).encode()


def _fred() -> dict[str, bytes]:
    random = np.random.default_rng(7)
    months = _MONTHS.astype("datetime64[D]")
    before = np.arange(np.datetime64("1982-09-27"), np.datetime64("2008-12-16"))
    after = np.arange(np.datetime64("2008-12-16"), np.datetime64("2010-06-30"))
    target = np.full(len(before), 10.25)
    for day, level in (("1990-07-13", 8.0), ("2001-01-03", 6.0), ("2007-09-18", 4.75), ("2008-10-08", 1.0)):
        target[before >= np.datetime64(day)] = level
    upper = np.full(len(after), 0.25)
    levels = ("AAA", "BAA", "GS10", "TB3MS", "UNRATE", "INDPRO", "FEDFUNDS", "INTDSRUSM193N")
    files = {name: fred_csv(name, months, random.uniform(3.0, 9.0, len(months))) for name in levels}
    daily = ("BAA10Y", "BAMLH0A0HYM2", "DGS10", "DGS3MO", "VIXCLS", "DFF", "DGS2")
    for name in daily:
        values = random.uniform(2.0, 20.0, len(_DAYS))
        values[::50] = np.nan
        files[name] = fred_csv(name, _DAYS, values)
    files["DFEDTAR"] = fred_csv("DFEDTAR", before, target)
    files["DFEDTARU"] = fred_csv("DFEDTARU", after, upper)
    files["DFEDTARL"] = fred_csv("DFEDTARL", after, upper - 0.25)
    return files


REGIONS = ("Japan", "Europe", "Asia_Pacific_ex_Japan", "North_America", "Developed")


def _world() -> dict[str, bytes]:
    """Return the international files, and the policy rates of three banks, one of them with a time without."""
    files = {}
    returns, *_ = _six(_MONTHS, 1.0)
    factors = np.column_stack([returns[:, 3], returns[:, 0] - returns[:, 3], returns[:, 2] - returns[:, 0]])
    factors = np.column_stack([factors, np.full(len(_MONTHS), 0.3)])
    six = _table("Average Value Weighted Returns -- Monthly", SIX, _MONTHS, returns)
    for region in REGIONS:
        files[f"{region}_6_Portfolios_ME_BE-ME"] = six
        files[f"{region}_3_Factors"] = _table("", ("Mkt-RF", "SMB", "HML", "RF"), _MONTHS, factors)
    five = np.c_[factors[:, :3], np.full((len(_MONTHS), 2), -99.99), factors[:, 3:]]
    files["Emerging_5_Factors"] = _table("", ("Mkt-RF", "SMB", "HML", "RMW", "CMA", "RF"), _MONTHS, five)
    zips = {
        f"{name}_CSV.zip": zipped(f"{name}.csv", (PREAMBLE + text + COPYRIGHT).encode())
        for name, text in files.items()
    }
    days = np.arange(np.datetime64("1981-07-01"), np.datetime64("2010-06-30"))
    level = np.full(len(days), 9.0)
    for day, rate in (("1991-07-01", 7.5), ("1999-11-05", 8.0), ("2001-05-11", 7.0), ("2008-10-15", 5.0)):
        level[days >= np.datetime64(day)] = rate
    shown = {area: [f"{value:g}" for value in level] for area in ("AU", "XM", "JP")}
    silent = (days >= np.datetime64("2001-03-19")) & (days < np.datetime64("2006-03-09"))
    shown["JP"] = ["" if none else value for none, value in zip(silent, shown["JP"], strict=True)]
    rows = [["FREQ", "REF_AREA", *map(str, days)], *(["D", area, *values] for area, values in shown.items())]
    text = "\n".join(",".join(row) for row in rows)
    return zips | {"WS_CBPOL_csv_col.zip": zipped("WS_CBPOL_csv_col.csv", text.encode())}


FILES = {**_french(), **_fred(), **_world()}
"""The bodies by name: a FRED id, or a file of the library."""


def made(name: str) -> bytes | None:
    """Return a made file, as a server finds it."""
    return FILES.get(name)
