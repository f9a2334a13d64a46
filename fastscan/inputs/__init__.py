"""Reads and checks everything that comes from files: experiments, their tables, literature."""

from fastscan.inputs.backgrounds import Background, Variation
from fastscan.inputs.detector import Detector, Ionisation
from fastscan.inputs.experiment import (
    Experiment,
    experiment_names,
    load_experiment,
)
from fastscan.inputs.flux_weights import load_flux_weights
from fastscan.inputs.form_factor import FormFactor
from fastscan.inputs.joint import JointExperiment, check_distinct, load_experiments
from fastscan.inputs.literature import (
    NUCLEAR_SPINS_FILE,
    NuclearSpin,
    NucleonCoupling,
    OtherLimit,
    PublishedResult,
    WeakMixingAngle,
    nuclear_spins,
    nucleon_couplings,
    other_limits,
    published_results,
    weak_mixing_angles,
)
from fastscan.inputs.observation import Observation
from fastscan.inputs.overlay import Overlay
from fastscan.inputs.quenching import Quenching
from fastscan.inputs.reactor import FISSION_ISOTOPES, Reactor, ReactorSpectrum
from fastscan.inputs.shipped import data_directory
from fastscan.inputs.solar import Oscillation, Solar, solar_part
from fastscan.inputs.sources import (
    FLAVOURS,
    Component,
    Flavour,
    LineSource,
    PionDecay,
    Source,
    TableSource,
)
from fastscan.inputs.systematics import (
    ALPHA,
    Correlation,
    Pull,
    Systematics,
    check_sigma_alpha,
)
from fastscan.inputs.tables import DataFile, read_table
from fastscan.inputs.target import Element, Target

__all__ = [
    "ALPHA",
    "FISSION_ISOTOPES",
    "FLAVOURS",
    "NUCLEAR_SPINS_FILE",
    "Background",
    "Component",
    "Correlation",
    "DataFile",
    "Detector",
    "Element",
    "Experiment",
    "Flavour",
    "FormFactor",
    "Ionisation",
    "JointExperiment",
    "LineSource",
    "NuclearSpin",
    "NucleonCoupling",
    "Observation",
    "Oscillation",
    "OtherLimit",
    "Overlay",
    "PionDecay",
    "PublishedResult",
    "Pull",
    "Quenching",
    "Reactor",
    "ReactorSpectrum",
    "Solar",
    "Source",
    "Systematics",
    "TableSource",
    "Target",
    "Variation",
    "WeakMixingAngle",
    "check_distinct",
    "check_sigma_alpha",
    "data_directory",
    "experiment_names",
    "load_experiment",
    "load_experiments",
    "load_flux_weights",
    "nuclear_spins",
    "nucleon_couplings",
    "other_limits",
    "published_results",
    "read_table",
    "solar_part",
    "weak_mixing_angles",
]
