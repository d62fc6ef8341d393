//! The versions of Qiskit whose function table is known.

/// Major and minor versions whose tables agree with `capi`, slot by slot and in all tests.
pub const TESTED: [(u32, u32); 3] = [(2, 4), (2, 5), (2, 6)];

/// The major and minor version in a text like `2.6.2` or `2.7.0rc1`, if it is a tested one.
pub fn tested(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.splitn(3, '.').map(|number| number.parse().ok());
    let found = (numbers.next()??, numbers.next()??);
    TESTED.contains(&found).then_some(found)
}

/// The major and minor version that `qk_api_version` writes as `0xMMmmppLS`.
pub fn of_api(version: u32) -> (u32, u32) {
    (version >> 24, version >> 16 & 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tested_minor_versions_pass() {
        for (version, expected) in
            [("2.4.0", (2, 4)), ("2.5.2", (2, 5)), ("2.6.0rc1", (2, 6)), ("2.6", (2, 6))]
        {
            assert_eq!(tested(version), Some(expected), "{version}");
        }
    }

    #[test]
    fn other_versions_are_refused() {
        for version in
            ["2.3.1", "2.7.0", "2.7.0.dev0+1ab2c3d", "2.40.0", "12.4.0", "3.0.0", "1.4.6", "2", ""]
        {
            assert_eq!(tested(version), None, "{version}");
        }
        for version in ["2.-4.0", "2.4rc1", "two.4", "2..4", " 2.4.0"] {
            assert_eq!(tested(version), None, "{version}");
        }
    }

    #[test]
    fn the_api_writes_bytes() {
        assert_eq!(of_api(0x0206_02f0), (2, 6));
        assert_eq!(of_api(0x0a10_0000), (10, 16));
    }
}
