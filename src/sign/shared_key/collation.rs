use std::cmp::Ordering;

/// Characters of header names in the order of their weight where the service sorts names: that of Windows word sort for en-US, which the Azure
/// SDKs carry as a table. `_` is before the digits and these before the letters; `-` and `'` have no weight at first.
const WEIGHTS: &str = "!#$%&*.^_`|~+0123456789abcdefghijklmnopqrstuvwxyz";

/// Compares two lower-case header names as the storage service does, which is not as ASCII does.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    let weights = |name: &str| name.chars().filter_map(|letter| WEIGHTS.find(letter)).collect::<Vec<_>>();
    // Equal but for hyphens: where the first of them stands, the name that has none there is the lesser one.
    weights(left).cmp(&weights(right)).then_with(|| hyphens(left).cmp(&hyphens(right)))
}

fn hyphens(name: &str) -> Vec<u8> {
    name.bytes()
        .map(|byte| match byte {
            b'\'' => 1,
            b'-' => 2,
            _ => 0,
        })
        .collect()
}
