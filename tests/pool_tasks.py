"""What tests have other processes do: these import it by this name."""

from __future__ import annotations

import os

from clients import QUIET


def set_environment(variables):
    """Set variables: a fork server keeps those with which the first test has started it."""
    os.environ.update(variables)


def memory_of(backend, circuits):
    """The process that was used, and the outcome of each shot of each circuit."""
    result = backend.run(circuits, memory=True, **QUIET).result()
    return os.getpid(), [result.get_memory(index) for index in range(len(circuits))]


def bits_of(sampler, pubs):
    """The process that was used, and the outcomes of each sampled circuit."""
    results = sampler.run(pubs).result()
    return os.getpid(), [result.data.meas.get_bitstrings() for result in results]


def counts_of(backend, circuit, **options):
    """The counts of a circuit."""
    return dict(backend.run(circuit, **QUIET, **options).result().get_counts())


def run(backend, circuits, **options):
    """A job."""
    return backend.run(circuits, **QUIET, **options)


def ended(backend, circuits, **options):
    """A job that has ended."""
    job = run(backend, circuits, **options)
    job.wait_for_final_state()
    return job


def fail(backend, circuits):
    """Raise what the backend raises."""
    backend.run(circuits, **QUIET).result()


def refuse(backend):
    """Raise an error with a value that no other process can have."""
    backend.set_options(shots=lambda: 7)
