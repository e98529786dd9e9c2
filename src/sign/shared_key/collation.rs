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

#[cfg(test)]
mod tests {
    use super::compare;
    use std::cmp::Ordering;

    /// Sorted by the table of the JavaScript SDK, which imitates the service.
    const SORTED: [&str; 14] = [
        "x-ms-blob-type",
        "x-ms-meta",
        "x-ms-meta-a",
        "x-ms-meta-a_",
        "x-ms-meta-a_b",
        "x-ms-meta-a0b",
        "x-ms-meta-a1",
        "x-ms-meta-a9",
        "x-ms-meta-ab",
        "x-ms-meta-a-b",
        "x-ms-meta-abc",
        "x-ms-meta-ac",
        "x-ms-version",
        "x-ms-write",
    ];

    #[test]
    fn names_sort_as_the_service_sorts_them_and_not_as_ascii_does() {
        let mut sorted = SORTED;
        sorted.reverse();
        sorted.sort_by(|left, right| compare(left, right));
        assert_eq!(sorted, SORTED);
    }

    #[test]
    fn no_two_names_are_equal() {
        for (at, left) in SORTED.iter().enumerate() {
            for (other, right) in SORTED.iter().enumerate() {
                assert_eq!(compare(left, right), at.cmp(&other), "{left} {right}");
                assert_eq!(compare(left, right) == Ordering::Equal, left == right);
            }
        }
    }
}
