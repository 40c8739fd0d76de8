//! The Regions of AWS.

use keylint_source::did_you_mean;

use super::tables::REGIONS;

/// The parts of the world that the names of Regions end in, before their number.
const DIRECTIONS: [&str; 9] =
    ["central", "east", "north", "northeast", "northwest", "south", "southeast", "southwest", "west"];

/// Whether a text is the name of a Region, or could be that of one which is newer than the table: `xx-south-9`.
pub fn looks_like_region(text: &str) -> bool {
    if REGIONS.contains(&text) {
        return true;
    }
    let parts: Vec<&str> = text.split('-').collect();
    let [place @ .., direction, number] = parts.as_slice() else { return false };
    let is_word =
        |word: &&str| (2..=5).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase());
    (1..=2).contains(&place.len())
        && place.iter().all(is_word)
        && DIRECTIONS.contains(direction)
        && matches!(number.as_bytes(), [b'1'..=b'9'] | [b'1'..=b'9', b'0'..=b'9'])
}

/// The Region that was meant by a text that is none, where one is near.
pub fn region_meant(text: &str) -> Option<&'static str> {
    if looks_like_region(text) {
        return None;
    }
    did_you_mean(text, REGIONS.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn regions_have_a_form() {
        for region in REGIONS.iter().chain(&["eu-north-7", "us-gov-south-1"]) {
            assert!(looks_like_region(region), "{region}");
            let parts: Vec<&str> = region.rsplit('-').collect();
            assert!(parts.get(1).is_some_and(|direction| DIRECTIONS.contains(direction)), "{region}");
        }
        for text in ["", "logs", "us-east1", "useast-1", "us-east-1a", "us-est-1", "eu-west-0", "US-EAST-1"] {
            assert!(!looks_like_region(text), "{text}");
        }
    }

    #[test]
    fn a_misspelt_region_is_recognized() {
        assert_eq!(region_meant("us-east1"), Some("us-east-1"));
        assert_eq!(region_meant("eu-wset-1"), Some("eu-west-1"));
        assert_eq!(region_meant("eu-west-9"), None);
        assert_eq!(region_meant("delivery"), None);
    }
}
