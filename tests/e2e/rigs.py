"""A rig of one simulated device with two channels, and a cell on one of them."""

RIG = """\
nakctl-rig: 1
devices:
  bench: {driver: sim, model: SP-300}
channels:
  left: {device: bench, channel: 1}
  right: {device: bench, channel: 2}
cells:
  cell-7: {channel: left, area: 0.5 cm2, working: NaK50, counter: Na, simulated_as: NaK50}
"""
