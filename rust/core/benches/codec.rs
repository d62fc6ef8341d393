//! The codec without Python: `brickwork-50` to bytes, `samples-50` to samples and histograms.

use std::{fmt::Write, hint::black_box};

use aqt_core::{
    Circuit, CircuitBuilder, Limits, MeasurementMap, Operation, Outcomes,
    wire::{encoder::encode_job, response},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// A reproducible stream of numbers in [0, 1): splitmix64.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        f64::from(u32::try_from(self.bits() >> 32).unwrap()) / 4_294_967_296.0
    }
}

/// 12 layers on 10 qubits, as `brickwork-50` looks after transpiling: RZ and R on each qubit, RXX
/// on every other pair.
fn brickwork(random: &mut Random) -> Circuit {
    let mut builder = CircuitBuilder::new(10, 10, 300, Limits::default()).unwrap();
    for layer in 0..12 {
        for qubit in 0..10 {
            let r = Operation::r(qubit, 3.0 * random.unit(), 6.0 * random.unit());
            builder.gate(r.unwrap()).unwrap();
            builder.gate(Operation::rz(qubit, 6.0 * random.unit()).unwrap()).unwrap();
        }
        for pair in (layer % 2..9).step_by(2) {
            let rxx = Operation::rxx([pair, pair + 1], 1.5 * random.unit());
            builder.gate(rxx.unwrap()).unwrap();
        }
    }
    builder.measure(0, 0).unwrap();
    builder.finish().unwrap()
}

fn body(random: &mut Random, qubits: usize, separator: &str) -> String {
    let mut text = String::from(r#"{"response":{"status":"finished","result":{"#);
    for circuit in 0..50 {
        let comma = if circuit > 0 { separator } else { "" };
        write!(text, "{comma}\"{circuit}\":[").unwrap();
        for shot in 0..2000 {
            text.push_str(if shot > 0 { separator } else { "" });
            let bits = random.bits();
            let row: Vec<_> = (0..qubits).map(|q| (bits >> q & 1).to_string()).collect();
            write!(text, "[{}]", row.join(separator)).unwrap();
        }
        text.push(']');
    }
    text.push_str("}}}");
    text
}

fn codec(criterion: &mut Criterion) {
    let mut random = Random(1);
    let circuits: Vec<_> = (0..50).map(|_| brickwork(&mut random)).collect();
    let operations: usize = circuits.iter().map(|circuit| circuit.operations().len()).sum();
    let mut group = criterion.benchmark_group("codec");
    group.throughput(Throughput::Elements(operations as u64));
    group.bench_function("brickwork-50/encode", |bencher| {
        bencher.iter(|| {
            let runs = black_box(&circuits).iter().map(|circuit| (circuit, 2000));
            encode_job(runs, Some("qiskit"))
        });
    });
    for (name, qubits, separator) in [
        ("samples-50/decode/10 qubits", 10, ","),
        ("samples-50/decode/20 qubits", 20, ","),
        ("samples-50/decode/10 qubits, white space", 10, ", "),
    ] {
        let text = body(&mut random, qubits, separator);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| response::decode(black_box(text.as_bytes())).unwrap());
        });
    }
    for qubits in [10, 20] {
        let text = body(&mut random, qubits, ",");
        let samples = response::decode(text.as_bytes()).unwrap().samples.unwrap();
        let map = MeasurementMap::identity(u32::try_from(qubits).unwrap());
        group.throughput(Throughput::Elements(100_000));
        group.bench_function(format!("samples-50/histogram/{qubits} qubits"), |bencher| {
            bencher.iter(|| {
                for samples in black_box(&samples) {
                    black_box(Outcomes::new(samples, &map).unwrap().histogram());
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, codec);
criterion_main!(benches);
