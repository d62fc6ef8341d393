//! Packed samples as Python objects: counts, memory and bit arrays.

use std::borrow::Cow;

use aqt_core::{Histogram, MeasurementMap, Outcomes};
use pyo3::{
    prelude::*,
    types::{PyByteArray, PyBytes, PyDict, PyList, PyString, PyType},
};

use crate::{
    error_texts::{self, Mismatch},
    qiskit,
    repetitions::Shots,
};

/// Packed measurement outcomes of one circuit: all its qubits, shot by shot.
#[pyclass(frozen, eq, module = "aqt_fast.wire")]
#[derive(PartialEq)]
pub struct Samples {
    samples: aqt_core::Samples,
}

impl From<aqt_core::Samples> for Samples {
    fn from(samples: aqt_core::Samples) -> Self {
        Self { samples }
    }
}

impl Samples {
    /// The outcomes by the measurement map of a circuit with this index. Without a circuit, bit `i` is
    /// qubit `i`.
    fn outcomes(
        &self,
        py: Python<'_>,
        circuit: Option<&Bound<'_, PyAny>>,
        index: usize,
    ) -> PyResult<Outcomes> {
        let (num_qubits, map) = match circuit {
            None => {
                let found = u32::try_from(self.samples.num_qubits())?;
                (found, MeasurementMap::identity(found))
            }
            Some(circuit) => qiskit::measurement_map(circuit, index)?,
        };
        self.mapped(py, index, num_qubits, &map)
    }

    /// The outcomes by the measurement map of a circuit with this number of qubits.
    fn mapped(
        &self,
        py: Python<'_>,
        index: usize,
        num_qubits: u32,
        map: &MeasurementMap,
    ) -> PyResult<Outcomes> {
        self.check_qubits(py, index, num_qubits)?;
        Outcomes::new(&self.samples, map)
            .ok_or_else(|| error_texts::response_mismatch(py, &Mismatch::QubitWithoutSamples))
    }

    /// Checks the number of qubits.
    pub fn check_qubits(&self, py: Python<'_>, index: usize, num_qubits: u32) -> PyResult<()> {
        let found = self.samples.num_qubits();
        if num_qubits as usize == found {
            return Ok(());
        }
        let mismatch = Mismatch::Qubits { circuit: index, found, expected: num_qubits };
        Err(error_texts::response_mismatch(py, &mismatch))
    }
}

#[pymethods]
impl Samples {
    /// Samples from packed rows.
    #[new]
    fn new(num_shots: usize, num_qubits: usize, rows: &[u8]) -> PyResult<Self> {
        aqt_core::Samples::new(num_shots, num_qubits, rows.to_vec())
            .map(Self::from)
            .ok_or_else(error_texts::no_samples)
    }

    /// Samples from outcomes in hexadecimal: bit `i` is qubit `i`.
    #[staticmethod]
    fn from_memory(memory: Vec<Bound<'_, PyString>>, num_qubits: usize) -> PyResult<Self> {
        let texts = memory.iter().map(|text| text.to_str()).collect::<PyResult<Vec<_>>>()?;
        aqt_core::Samples::from_hex(texts.into_iter(), num_qubits)
            .map(Self::from)
            .ok_or_else(error_texts::no_samples)
    }

    /// Samples from counts of outcomes in hexadecimal, in an order that only the seed decides.
    #[staticmethod]
    fn from_counts(counts: &Bound<'_, PyDict>, num_qubits: usize, seed: u64) -> PyResult<Self> {
        let mut entries = Vec::with_capacity(counts.len());
        for (text, number) in counts {
            entries.push((text.cast_into::<PyString>()?, number.extract::<usize>()?));
        }
        let entries = entries
            .iter()
            .map(|(text, number)| Ok((text.to_str()?, *number)))
            .collect::<PyResult<Vec<_>>>()?;
        aqt_core::Samples::from_counts(entries.into_iter(), num_qubits, seed)
            .map(Self::from)
            .ok_or_else(error_texts::no_samples)
    }

    /// The shots on the qubits of a larger circuit.
    fn placed(&self, qubits: Vec<u32>, num_qubits: u32) -> PyResult<Self> {
        self.samples.placed(&qubits, num_qubits).map(Self::from).ok_or_else(error_texts::no_samples)
    }

    /// The packed outcomes.
    #[getter]
    fn rows<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.samples.rows())
    }

    /// Pickles numbers and rows.
    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> (Bound<'py, PyType>, (usize, usize, Bound<'py, PyBytes>)) {
        (py.get_type::<Self>(), (self.num_shots(), self.num_qubits(), self.rows(py)))
    }

    /// Repetitions of the circuit.
    #[getter]
    fn num_shots(&self) -> usize {
        self.samples.num_shots()
    }

    /// Qubits a shot, unmeasured ones included.
    #[getter]
    fn num_qubits(&self) -> usize {
        self.samples.num_qubits()
    }

    /// The shots of several runs of one circuit, one after the other.
    #[staticmethod]
    fn concatenate(py: Python<'_>, parts: Vec<Bound<'_, Samples>>) -> PyResult<Self> {
        let parts: Vec<_> = parts.iter().map(|part| &part.get().samples).collect();
        aqt_core::Samples::concatenate(&parts)
            .map(Self::from)
            .ok_or_else(|| error_texts::response_mismatch(py, &Mismatch::DifferentRuns))
    }

    /// The number of each outcome, by Qiskit's hexadecimal text.
    #[pyo3(signature = (circuit=None))]
    fn counts<'py>(
        &self,
        py: Python<'py>,
        circuit: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (counts, _) = Strings::default().data(py, &self.outcomes(py, circuit, 0)?, false)?;
        Ok(counts)
    }

    /// The outcome of each shot, in order, as Qiskit's hexadecimal text.
    #[pyo3(signature = (circuit=None))]
    fn memory<'py>(
        &self,
        py: Python<'py>,
        circuit: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let (_, memory) = Strings::default().data(py, &self.outcomes(py, circuit, 0)?, true)?;
        Ok(memory.unwrap_or_else(|| PyList::empty(py)))
    }

    /// The outcomes as a Qiskit `BitArray` of shape () over all classical bits.
    #[pyo3(signature = (circuit=None))]
    fn bit_array<'py>(
        &self,
        py: Python<'py>,
        circuit: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let outcomes = self.outcomes(py, circuit, 0)?;
        let num_bits = outcomes.num_bits();
        let numpy = py.import("numpy")?;
        let shape = (self.samples.num_shots(), num_bits.div_ceil(8));
        let rows = PyByteArray::new(py, &outcomes.big_endian_rows());
        let array = numpy
            .call_method1("frombuffer", (rows, numpy.getattr("uint8")?))?
            .call_method1("reshape", (shape,))?;
        py.import("qiskit.primitives")?.getattr("BitArray")?.call1((array, num_bits))
    }

    fn __repr__(&self) -> String {
        format!("Samples(num_shots={}, num_qubits={})", self.num_shots(), self.num_qubits())
    }
}

/// Counts and, if wanted, memory of a whole job: a pair a circuit.
///
/// Equal outcomes share one string, also across circuits where that is cheap.
#[pyfunction]
pub fn experiment_data<'py>(
    py: Python<'py>,
    samples: Vec<Bound<'py, Samples>>,
    circuits: Vec<Bound<'py, PyAny>>,
    shots: Shots,
    with_memory: bool,
) -> PyResult<Vec<ExperimentData<'py>>> {
    check_shots(py, &samples, circuits.len(), shots)?;
    data(py, &samples, with_memory, |index| qiskit::measurement_map(&circuits[index], index))
}

/// Outcomes of circuits at some of their classical bits: the number of shots of each circuit, and
/// rows in the layout of Qiskit's `BitArray`, one circuit after the other.
///
/// `next` gives size and measurement map of one circuit after the other; `start` is the index of the
/// first.
pub fn bits<'py, 'a>(
    py: Python<'py>,
    samples: &[Bound<'py, Samples>],
    start: usize,
    clbits: &[u32],
    mut next: impl FnMut() -> PyResult<(u32, Cow<'a, MeasurementMap>)>,
) -> PyResult<(usize, Bound<'py, PyByteArray>)> {
    let shots = samples.first().map_or(0, |first| first.get().samples.num_shots());
    let mut rows = Vec::with_capacity(samples.len() * shots * clbits.len().div_ceil(8));
    for (index, samples) in (start..).zip(samples) {
        let samples = samples.get();
        let found = samples.samples.num_shots();
        if found != shots {
            let expected = u32::try_from(shots).unwrap_or(u32::MAX);
            let mismatch = Mismatch::Shots { circuit: index, found, expected };
            return Err(error_texts::response_mismatch(py, &mismatch));
        }
        let (num_qubits, map) = next()?;
        let some = map.restricted(clbits).ok_or_else(error_texts::no_such_clbits)?;
        rows.extend_from_slice(&samples.mapped(py, index, num_qubits, &some)?.big_endian_rows());
    }
    Ok((shots, PyByteArray::new(py, &rows)))
}

/// Checks the number of circuits, and the number of shots of each.
pub fn check_shots(
    py: Python<'_>,
    samples: &[Bound<'_, Samples>],
    num_circuits: usize,
    shots: Shots,
) -> PyResult<()> {
    let runs: Vec<_> = shots.each(num_circuits)?.into_iter().enumerate().collect();
    check_numbers(py, samples, &runs)
}

/// Checks the number of runs, and the number of shots of each; a run is a circuit with its shots.
pub fn check_numbers(
    py: Python<'_>,
    samples: &[Bound<'_, Samples>],
    runs: &[(usize, u32)],
) -> PyResult<()> {
    check_number(py, samples, runs.len())?;
    for (samples, &(circuit, expected)) in samples.iter().zip(runs) {
        let found = samples.get().samples.num_shots();
        if found != expected as usize {
            let mismatch = Mismatch::Shots { circuit, found, expected };
            return Err(error_texts::response_mismatch(py, &mismatch));
        }
    }
    Ok(())
}

/// Checks the number of circuits.
pub fn check_number(
    py: Python<'_>,
    samples: &[Bound<'_, Samples>],
    num_circuits: usize,
) -> PyResult<()> {
    if samples.len() == num_circuits {
        return Ok(());
    }
    let mismatch = Mismatch::Circuits { found: samples.len(), expected: num_circuits };
    Err(error_texts::response_mismatch(py, &mismatch))
}

/// Counts and, if wanted, memory of circuits; `map` gives their sizes and measurement maps.
pub fn data<'py>(
    py: Python<'py>,
    samples: &[Bound<'py, Samples>],
    with_memory: bool,
    mut map: impl FnMut(usize) -> PyResult<(u32, MeasurementMap)>,
) -> PyResult<Vec<ExperimentData<'py>>> {
    let mut strings = Strings::default();
    samples
        .iter()
        .enumerate()
        .map(|(index, samples)| {
            let (num_qubits, map) = map(index)?;
            let outcomes = samples.get().mapped(py, index, num_qubits, &map)?;
            strings.data(py, &outcomes, with_memory)
        })
        .collect()
}

/// Counts and, if wanted, memory of one circuit.
pub type ExperimentData<'py> = (Bound<'py, PyDict>, Option<Bound<'py, PyList>>);

/// Outcomes of up to this many bits have a place of their own in the cache.
const MAX_DIRECT_BITS: usize = 14;

/// A cache of hexadecimal texts, so that equal outcomes share one string.
///
/// Wider outcomes share places, and the last one in a place stays. Wide outcomes that occur once in
/// their circuit are not cached: a look-up costs more than a new string.
#[derive(Default)]
struct Strings<'py> {
    places: Vec<Option<(u64, Bound<'py, PyString>)>>,
    text: String,
}

impl<'py> Strings<'py> {
    fn data(
        &mut self,
        py: Python<'py>,
        outcomes: &Outcomes,
        with_memory: bool,
    ) -> PyResult<ExperimentData<'py>> {
        let histogram = outcomes.histogram();
        let places = 1 << outcomes.num_bits().min(MAX_DIRECT_BITS);
        if places > self.places.len() {
            self.places.clear();
            self.places.resize_with(places, || None);
        }
        let all_direct = outcomes.num_bits() <= MAX_DIRECT_BITS;
        let counts = PyDict::new(py);
        let mut keys = Vec::new();
        for (rank, &count) in histogram.counts().iter().enumerate() {
            let key = match histogram.value(rank) {
                Some(value) if all_direct || count > 1 => self.shared(py, &histogram, rank, value),
                _ => self.make(py, &histogram, rank),
            };
            counts.set_item(&key, count)?;
            if with_memory {
                keys.push(key);
            }
        }
        let strings = histogram.ranks().iter().map(|&rank| &keys[rank as usize]);
        let memory = with_memory.then(|| PyList::new(py, strings)).transpose()?;
        Ok((counts, memory))
    }

    fn shared(
        &mut self,
        py: Python<'py>,
        histogram: &Histogram,
        rank: usize,
        value: u64,
    ) -> Bound<'py, PyString> {
        // Folding the high bits in spreads wide outcomes; narrow ones stay as they are.
        let folded = value ^ (value >> MAX_DIRECT_BITS) ^ (value >> (2 * MAX_DIRECT_BITS));
        let place = usize::try_from(folded).unwrap_or(0) & (self.places.len() - 1);
        match &self.places[place] {
            Some((known, string)) if *known == value => string.clone(),
            _ => {
                let string = self.make(py, histogram, rank);
                self.places[place] = Some((value, string.clone()));
                string
            }
        }
    }

    fn make(
        &mut self,
        py: Python<'py>,
        histogram: &Histogram,
        rank: usize,
    ) -> Bound<'py, PyString> {
        histogram.write_hex(rank, &mut self.text);
        PyString::new(py, &self.text)
    }
}
