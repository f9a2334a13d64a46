"""Size of response tensors: what would be too large is refused before it fills the memory."""

from __future__ import annotations

from dataclasses import dataclass

from fastscan.exceptions import InputError
from fastscan.inputs import Experiment, Reactor, Source, TableSource
from fastscan.tensors.recoil import LOWEST_ORDER

__all__ = ["TensorSize"]

# Tensors beyond these sizes are refused: all arrays, the response alone, and the recoil energies,
# which take longest. Each limit is within a minute; ordinary experiments are far below all of them.
LARGEST_BYTES = 5e8
LARGEST_RESPONSE_BYTES = 1e8
MOST_NODES = 100_000


@dataclass(frozen=True)
class TensorSize:
    """How large the tensors would be.

    Attributes
    ----------
    bins, energy_bins : int
        Observed bins and neutrino-energy bins.
    table_rows : int
        Of the table of the spectrum, where it is a user's.
    fewest_nodes : int
        Recoil nodes that are needed at least.
    """

    bins: int
    energy_bins: int
    table_rows: int
    fewest_nodes: int

    @classmethod
    def of(cls, experiment: Experiment) -> TensorSize:
        """What is known of an experiment before anything is integrated."""
        bins = experiment.observation.edges_ev.size - 1
        components = 1 + sum(e.mass_number.size for e in experiment.target.elements)
        # Without a resolution every edge of a bin is a kink.
        panels = bins if experiment.ionisation.resolution == "none" else 1
        return cls(
            bins,
            sum(len(c.energy_bin_edges_mev) - 1 for c in experiment.components),
            max(map(_table_rows, experiment.every_source)),
            LOWEST_ORDER * components * panels,
        )

    @property
    def bytes_per_node(self) -> int:
        """Flux moments, response, and five numbers of the nucleus."""
        return 8 * (3 * self.energy_bins + self.bins + 5)

    @property
    def most_nodes(self) -> int:
        """Nodes that the largest tensors have."""
        of_response = LARGEST_RESPONSE_BYTES / (8 * self.bins)
        return int(min(MOST_NODES, LARGEST_BYTES / self.bytes_per_node, of_response))

    def check(self, nodes: int) -> None:
        """Refuse what can not be had with fewer nodes."""
        if nodes > self.most_nodes:
            raise self.error(nodes)

    def error(self, nodes: int) -> InputError:
        """What is to be said of tensors with at least so many nodes."""
        # Each with its share of the kinks and of the values at a node.
        causes = {
            "use fewer or wider bins of the observation": self.bins,
            "widen energy_bin_width_mev of the reactor": 3 * self.energy_bins,
            "thin out the rows of the file of the spectrum": self.table_rows,
        }
        return InputError(
            f"the response tensors would have {nodes} recoil energies or more: "
            f"{nodes * self.bytes_per_node / 1e9:.2g} GB with {self.bins} bins and "
            f"{self.energy_bins} antineutrino energies",
            hint=max(causes, key=lambda cause: causes[cause]),
        )


def _table_rows(source: Source) -> int:
    """Rows of the table of a user's spectrum."""
    if isinstance(source, Reactor):
        return source.spectrum.file_energy_mev.size
    return source.table["energy_mev"].size if isinstance(source, TableSource) else 0
