"""Settings of real EC-Lab files, in EC-Lab's form: their facts, written down anew and laid out by this module.

Where each stands is said beside it. The layout is made here, apart from `nakctl.convert.settings.write`.
"""

from __future__ import annotations

from collections.abc import Sequence

Rows = dict[str, object]  # label -> one value for all sequences, or a list with one for each
Made = tuple[str, Rows]


def made(
    techniques: Sequence[Made],
    *,
    device: str = "SP-300",
    E_range: tuple[str, str] = ("-2.50", "2.50"),
    comma: bool = False,
    header: Sequence[str] = (),
    newline: str = "\r\n",
) -> bytes:
    """The file. header: further lines, of safety limits for example."""
    lines = ["EC-LAB SETTING FILE", "", f"Number of linked techniques : {len(techniques)}", ""]
    lines += ["EC-LAB for windows v11.50 (software)", "", f"Device : {device}"]
    lines += [f"Ewe ctrl range : min = {E_range[0]} V, max = {E_range[1]} V", *header, ""]
    for number, (name, rows) in enumerate(techniques, 1):
        columns = max([len(value) for value in rows.values() if isinstance(value, list)], default=1)
        lines += [f"Technique : {number}", name]
        if columns > 1:
            rows = {"Ns": [str(i) for i in range(columns)]} | rows
        for label, value in rows.items():
            values = value if isinstance(value, list) else [value] * columns
            lines.append(f"{label.rstrip('*'):20}" + "".join(f"{text!s:20}" for text in values))
        lines.append("")
    text = newline.join(lines)
    if comma:
        text = "".join(
            "," if letter == "." and text[i - 1 : i].isdigit() and text[i + 1 : i + 2].isdigit() and "v11" not in
            text[max(0, i - 3) : i] else letter
            for i, letter in enumerate(text)
        )  # fmt: skip
    return text.encode("cp1252")


def ocv(tR: str, **rows: object) -> Made:
    usual: Rows = {
        "tR (h:m:s)": tR,
        "dER/dt (mV/h)": "0.0",
        "record": "Ewe",
        "dER (mV)": "0.00",
        "dtR (s)": "1.0000",
    }
    return "Open Circuit Voltage", usual | rows | E_RANGE


E_RANGE: Rows = {"E range min (V)": "-2.500", "E range max (V)": "2.500"}
GOTO: Rows = {"goto Ns'": "0", "nc cycles": "0"}
UNSET: Rows = {"I Range min": "Unset", "I Range max": "Unset", "I Range init": "Unset"}


def cp(Is: object, unit: object, ts: object, **rows: object) -> Made:
    usual: Rows = {
        "Is": Is, "unit Is": unit, "vs.": "<None>", "ts (h:m:s)": ts, "EM (V)": "pass", "dQM": "0.000",
        "unit dQM": "mA.h", "record": "Ewe", "dEs (mV)": "0.00", "dts (s)": "1.0000",
        **E_RANGE, "I Range": "100 µA", "Bandwidth": "8", **GOTO,
    }  # fmt: skip
    return "Chronopotentiometry", usual | rows


def ca(Ei: object, ti: object, **rows: object) -> Made:
    usual: Rows = {
        "Ei (V)": Ei, "vs.": "Ref", "ti (h:m:s)": ti, "Imax": "pass", "unit Imax": "mA", "Imin": "pass",
        "unit Imin": "mA", "dQM": "0.000", "unit dQM": "mA.h", "record": "I", "dI": "5.000", "unit dI": "µA",
        "dQ": "0.000", "unit dQ": "mA.h", "dt (s)": "1.0000", "dta (s)": "0.1000",
        **E_RANGE, "I Range": "Auto", **UNSET, "Bandwidth": "8", **GOTO,
    }  # fmt: skip
    return "Chronoamperometry / Chronocoulometry", usual | rows


_SWEPT: Rows = {"Nd": "6", "Points": "per decade", "spacing": "Logarithmic"}
_MEASURED: Rows = {"pw": "0.10", "Na": "2", "corr": "0"}
_CYCLES: Rows = {"nc cycles": "0", "goto Ns'": "0", "nr cycles": "0", "inc. cycle": "0"}


def geis(Is: object, unit: str, Ia: str, fi: tuple[str, str], ff: tuple[str, str], **rows: object) -> Made:
    usual: Rows = {
        "Mode": "Single sine", "Is": Is, "unit Is": unit, "vs.": "<None>", "tIs (h:m:s)": "0:00:0.0000",
        "record": "0", "dE (mV)": "0.000", "dt (s)": "0.000",
        "fi": fi[0], "unit fi": fi[1], "ff": ff[0], "unit ff": ff[1], **_SWEPT,
        "Ia/Va": "Ia", "Ia": Ia, "unit  Ia": "µA", "va pourcent": "0.10", **_MEASURED,
        **E_RANGE, "I Range": "100 µA", "Bandwidth": "8", **_CYCLES,
    }  # fmt: skip
    return "Galvano Electrochemical Impedance Spectroscopy", usual | rows


def peis(Va: str, fi: tuple[str, str], ff: tuple[str, str], **rows: object) -> Made:
    usual: Rows = {
        "Mode": "Single sine", "E (V)": "0.0000", "vs.": "Eoc", "tE (h:m:s)": "0:00:0.0000", "record": "0",
        "dI": "0.000", "unit dI": "mA", "dt (s)": "0.000",
        "fi": fi[0], "unit fi": fi[1], "ff": ff[0], "unit ff": ff[1], **_SWEPT, "Va (mV)": Va, **_MEASURED,
        **E_RANGE, "I Range": "Auto", "Bandwidth": "8", **_CYCLES,
    }  # fmt: skip
    return "Potentio Electrochemical Impedance Spectroscopy", usual | rows


def gcpl(Is: list[str], unit: list[str], t1: list[str], EM: list[str], tR: list[str], **rows: object) -> Made:
    """The first sequence is the rest that EC-Lab begins with."""
    usual: Rows = {
        "Set I/C": "I", "Is": Is, "unit Is": unit, "vs.": "<None>", "N": "1.00", "I sign": "> 0",
        "t1 (h:m:s)": t1, "I Range": "100 µA", "Bandwidth": "5", "dE1 (mV)": "0.00", "dt1 (s)": "10.0000",
        "EM (V)": EM, "tM (h:m:s)": "0:00:0.0000", "Im": "0.000", "unit Im": "mA", "dI/dt": "0.000",
        "dunit dI/dt": "mA/s", "E range min (V)": "0.000", "E range max (V)": "5.000", "dq": "1.000",
        "unit dq": "mA.h", "dtq (s)": "120.0000", "dQM": "0.000", "unit dQM": "mA.h", "dxM": "0.000",
        "delta SoC (%)": "pass", "tR (h:m:s)": tR, "dER/dt (mV/h)": "0.0", "dER (mV)": "0.00", "dtR (s)": "1.0000",
        "EL (V)": "pass", **GOTO,
    }  # fmt: skip
    return "Galvanostatic Cycling with Potential Limitation", usual | rows


def loop(goto: int, times: int) -> Made:
    return "Loop", {"goto Ne": str(goto), "nt times": str(times)}


def mb(ctrl_type: list[str], **rows: object) -> Made:
    usual: Rows = {
        "ctrl_type": ctrl_type, "Apply I/C": "I", "ctrl1_val": "0.000", "ctrl1_val_unit": "", "ctrl1_val_vs": "",
        "ctrl2_val": "0.000", "ctrl2_val_unit": "", "ctrl2_val_vs": "", "ctrl3_val": "0.000",
        "ctrl3_val_unit": "", "ctrl3_val_vs": "", "N": "0.00", "charge/discharge": "Charge",
        "ctrl_seq": "0", "ctrl_repeat": "0", "ctrl_trigger": "Falling Edge", "ctrl_TO_t": "0.000",
        "ctrl_TO_t_unit": "d", "ctrl_Nd": "6", "ctrl_Na": "2", "ctrl_corr": "0",
        "lim_nb": "1", "lim1_type": "Time", "lim1_comp": ">", "lim1_Q": "Q limit", "lim1_value": "10.000",
        "lim1_value_unit": "s", "lim1_action": "Next sequence", "lim1_seq": "0",
        "rec_nb": "1", "rec1_type": "Time", "rec1_value": "1.000", "rec1_value_unit": "s",
        **E_RANGE, "I Range": "10 mA", **UNSET, "auto rest": "0", "Bandwidth": "5",
    }  # fmt: skip
    return "Modulo Bat", usual | rows


def with_table(
    raw: bytes, *rows: tuple[str, str], head: str = "Time/s, E/V", at: str = "1 0", says: int = -1
) -> bytes:
    """A file with an urban profile behind its techniques, as MB_UP.mps of jdhuang-csm/biologic-com has it.

    at: technique and sequence; says: how many values, if not as many as there are
    """
    technique, sequence = at.split()
    lines = [
        "", "Urban Profile Table", f"Technique Number : {technique}", f"Sequence : {sequence}",
        f"Number of Values : {len(rows) if says < 0 else says}", f"Values : {head}",
        *("\t".join(row) for row in rows), "",
    ]  # fmt: skip
    return raw + "\r\n".join(lines).encode("cp1252")


WIDE: Rows = {"E range min (V)": "0.000", "E range max (V)": "5.000"}

# stephane-chevalier/Fuel_cell_testing, GEIS_3electrodes_25uA.mps: SP-300, CP then GEIS under the same current
CP_GEIS = made([
    cp("-25.000", "µA", "0:02:0.0000", **{"EM (V)": "0.200", "dQM": "833.333", "unit dQM": "nA.h", "dEs (mV)": "10.00"}),
    geis("-0.025", "mA", "2.500", ("100.000", "kHz"), ("50.000", "mHz"),
         **{"tIs (h:m:s)": "0:00:1.0000", "record": "1", "dt (s)": "1.000"}),
])  # fmt: skip

# the same, Paliers_Chronoamp_3electrodes.mps: SP-300, OCV then CA with eight levels
OCV_CA = made([
    ocv("0:00:30.0000"),
    ca(["0.950", "0.900", "0.800", "0.700", "0.600", "0.500", "0.400", "0.300"], "0:02:0.0000", Imax="0.000"),
])  # fmt: skip

# espoupou/Batteries, datas/EIS/AB_ESP1_12_03_2026_Csur100_tx0min.mps: SP-200, decimal comma, PEIS then GCPL with
# PEIS five times
_PEIS_14 = peis("14.1", ("1.000", "MHz"), ("10.000", "mHz"), Nd="10", **WIDE)
PEIS_GCPL = made(
    [
        _PEIS_14,
        gcpl(["0.000", "-2.400"], ["mA", "mA"], ["0:00:0.0000", "20:00:0.0000"], ["0.000", "2.000"],
             ["0:00:10.0000", "0:01:0.0000"], **{"I Range": "1 A", "Bandwidth": "8",
             "dt1 (s)": ["0.0000", "10.0000"], "dtq (s)": ["0.0000", "120.0000"], "dq": ["0.000", "1.000"]}),
        _PEIS_14,
        loop(2, 4),
    ],
    device="SP-200", E_range=("0.00", "5.00"), comma=True,
)  # fmt: skip

# kunkoala/InES-Datenverarbeitung, SAMPLE-MPT/20220309_SSB_Cell_03_Form01/*.mps: VMP3, decimal comma, eighteen
# techniques: GEIS and GCPL6 to ever higher potentials, and 50 cycles of GCPL6 with GEIS
_GEIS_5 = geis(
    "0.000",
    "µA",
    "5.000",
    ("1.000", "MHz"),
    ("5.000", "mHz"),
    **{"I Range": "10 µA", "Bandwidth": "5"},
    **WIDE,
)


def _gcpl6(EM: list[str], Is: list[str], unit: list[str]) -> Made:
    n = len(EM)
    first, then = ["0:00:0.0000"], ["20:00:0.0000"] * (n - 1)
    name, rows = gcpl(
        Is, unit, first + then, EM, ["0:00:10.0000"] + ["0:01:0.0000"] * (n - 1),
        **{"dt1 (s)": ["0.0000"] + ["5.0000"] * (n - 1), "tM (h:m:s)": first + ["10:00:0.0000"] * (n - 1),
           "Im": ["0.000"] + ["10.000"] * (n - 1), "unit Im": ["mA"] + ["µA"] * (n - 1),
           "dq": ["0.000"] + ["1.000"] * (n - 1), "dtq (s)": ["0.0000"] + ["120.0000"] * (n - 1),
           "dtR (s)": ["1.0000"] + ["120.0000"] * (n - 1)},
    )  # fmt: skip
    return f"{name} 6", rows


GEIS_GCPL6 = made(
    [
        *(part for EM in ("1.000", "1.100", "1.200", "1.300", "1.400", "1.500", "1.600") for part in
          (_GEIS_5, _gcpl6(["0.000", EM], ["0.000", "20.000"], ["mA", "µA"]))),
        _GEIS_5,
        _gcpl6(["0.000", "1.600", "0.000"], ["0.000", "100.000", "-100.000"], ["mA", "µA", "µA"]),
        _GEIS_5,
        loop(16, 49),
    ],
    device="VMP3", E_range=("0.00", "5.00"), comma=True, header=["Potential control : Ewe-Ece", "Record Ece"],
)  # fmt: skip

# jdhuang-csm/biologic-com, mps_templates/CP_limit.mps (SP-150): a CP with limits on either side
CP_LIMITS = made([
    cp(["0.000", "2.000", "-2.000", "0.000"], "µA", "0:00:0.5000",
       **{"EM (V)": ["pass", "0.100", "0.100", "pass"], "dQM": ["0.000", "277.778", "277.778", "0.000"],
          "unit dQM": ["mA.h", "pA.h", "pA.h", "mA.h"], "dts (s)": "0.0010", "Bandwidth": "5"}),
], device="SP-150")  # fmt: skip

# the same, mps_templates/CA_limit.mps: a CA whose currents are limited, and dta shorter
CA_LIMITS = made([
    ca(["0.000", "0.010", "-0.010", "0.000"], ["0:00:0.5000"] * 3 + ["0:00:1.0000"],
       **{"Imax": ["0.010", "10.000", "pass", "pass"], "unit Imax": ["mA", "µA", "mA", "mA"],
          "Imin": ["-0.010", "-10.000", "pass", "pass"], "unit Imin": ["mA", "µA", "mA", "mA"],
          "dt (s)": "0.0100", "Bandwidth": "5"}),
], device="SP-150")  # fmt: skip

# the same, mps_templates/OCV-EIS_loop.mps and cp-peis_batt.mps: OCV and PEIS in a loop; PEIS four times over
OCV_PEIS_LOOP = made([
    ocv("0:00:30.0000", **{"record": "<Ewe>", "dtR (s)": "0.5000"}),
    peis("10.0", ("200.000", "kHz"), ("100.000", "mHz"), Bandwidth="5"),
    loop(1, 2),
    peis("10.0", ("200.000", "kHz"), ("100.000", "mHz"), **{"Bandwidth": "5", "nc cycles": "3"}),
], device="SP-150")  # fmt: skip

# BioLogic's VSP-300 with Modulo Bat between -1 V and 1 V, in two public files; the time limits are ours
MODULO_BAT = made([
    mb(["Rest", "CC", "CC", "Loop"],
       **{"ctrl1_val": ["0.000", "0.500", "0.500", "0.000"], "ctrl1_val_unit": ["", "mA", "mA", ""],
          "ctrl1_val_vs": ["", "<None>", "<None>", ""], "charge/discharge": ["Charge", "Charge", "Discharge", "Charge"],
          "ctrl_seq": ["0", "0", "0", "1"], "ctrl_repeat": ["0", "0", "0", "9"], "lim_nb": ["1", "2", "2", "0"],
          "lim2_type": "Ewe", "lim2_comp": [">", ">", "<", ">"], "lim2_Q": "Q limit",
          "lim1_value": ["10.000", "7200.000", "7200.000", "0.000"],
          "lim2_value": ["0.000", "1.000", "-1.000", "0.000"], "lim2_value_unit": "V",
          "lim2_action": ["Next sequence", "Next sequence", "Stop", "Next sequence"],
          "lim2_seq": ["1", "2", "9999", "4"], "lim1_seq": ["1", "2", "3", "4"], "rec_nb": ["1", "1", "1", "0"]}),
], device="VSP-300")  # fmt: skip

# a public file of a VSP-3e (EC-Lab 11.47, RuO2 electrodes): OCV, then CV between 1 V and 0 V
OCV_CV = made([
    ocv("0:01:0.0000"),
    ("Cyclic Voltammetry", {
        "Ei (V)": "0.000", "vs.": "Ref", "dE/dt": "50.000", "dE/dt unit": "mV/s", "E1 (V)": "1.000", "vs.*": "Ref",
        "Step percent": "50", "N": "10", **E_RANGE, "I Range": "10 mA", **UNSET, "Bandwidth": "5",
        "E2 (V)": "0.000", "vs.**": "Ref", "nc cycles": "1", "Reverse Scan": "0", "Ef (V)": "0.000", "vs.***": "Ref",
    }),
])  # fmt: skip

# a public file of a VMP3 (ZnSO4, glassy carbon), its beginning against the reference: LSV after 40 s of rest
LSV = made([
    ("Linear Sweep Voltammetry", {
        "tR (h:m:s)": "0:00:40.0000", "dER/dt (mV/h)": "0.0", "dER (mV)": "0", "dtR (s)": "1.0000",
        "dE/dt": "10.000", "dE/dt unit": "mV/s", "Ei (V)": "0.000", "vs.": "Ref", "EL (V)": "-3.000", "vs.*": "Ref",
        "record": "<I>", "dI": "0.000", "unit dI": "µA", "tI (s)": "0.0000", "step percent": "50", "N": "10",
        "E range min (V)": "-5.000", "E range max (V)": "5.000", "I Range": "Auto", **UNSET, "Bandwidth": "5",
    }),
], E_range=("-5.00", "5.00"))  # fmt: skip

REAL = {
    "cp-geis": CP_GEIS, "ocv-ca": OCV_CA, "peis-gcpl": PEIS_GCPL, "geis-gcpl6": GEIS_GCPL6,
    "cp-limits": CP_LIMITS, "ca-limits": CA_LIMITS, "ocv-peis-loop": OCV_PEIS_LOOP, "modulo-bat": MODULO_BAT, "ocv-cv": OCV_CV, "lsv": LSV,
}  # fmt: skip
