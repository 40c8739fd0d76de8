//! Where requests come from: addresses, endpoints, and the services that pass them on.

use keylint_policy::arn::is_account;
use keylint_policy::evaluate::values::Range;
use keylint_policy::model::{Condition, Value};
use keylint_policy::operator::{Comparison, Operator};
use keylint_policy::pattern;
use keylint_policy::vocabulary::KeyId;
use keylint_source::Severity;

use super::{Fault, outcome};
use crate::checks::placeholder::is_placeholder;
use crate::finding::Finding;

/// Ranges that never reach AWS as the address of a caller: private, of the machine itself, of the link.
const PRIVATE: &[&str] = &[
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
    "::1",
];

fn is_private(value: &Value<'_>) -> bool {
    let within = |range: Range| {
        PRIVATE.iter().any(|private| Range::parse(private).is_some_and(|p| range.is_within(p)))
    };
    Range::parse(value.text).is_some_and(within)
}

const ALONE: &str = "a caller of AWS has no private address";
const TOGETHER: &str = "a caller of AWS has no private address, and no other is listed";

/// Private addresses in `aws:SourceIp`, and ranges that are written with the address of a host.
pub(super) fn findings<'p>(condition: &Condition<'_>, operator: Operator) -> Vec<Finding<'p>> {
    let negated = match operator.comparison {
        Comparison::IpAddress => false,
        Comparison::NotIpAddress => true,
        _ => return Vec::new(),
    };
    let mut findings = Vec::new();
    let (private, public): (Vec<&Value<'_>>, Vec<&Value<'_>>) =
        condition.values.iter().partition(|value| is_private(value));
    let said = |severity, span, value: &Value<'_>, kind: &str| {
        let finding = Finding::at(severity, span).with("value", value.text).with("kind", kind);
        finding.with(
            "expected",
            "write the public addresses from which the requests come, or use `aws:VpcSourceIp`",
        )
    };
    if condition.key.id == Some(KeyId::SOURCE_IP) {
        match private.as_slice() {
            [] => {}
            [first, others @ ..] if public.is_empty() && !condition.open => {
                let severity =
                    if negated || operator.if_exists { Severity::Warning } else { Severity::Error };
                let (span, kind) =
                    if others.is_empty() { (first.span, ALONE) } else { (condition.values_span, TOGETHER) };
                findings.push(outcome(said(severity, span, first, kind), operator));
            }
            some => {
                let severity = if negated { Severity::Warning } else { Severity::Note };
                findings.extend(some.iter().map(|value| said(severity, value.span, value, ALONE)));
            }
        }
    }
    for value in condition.values.iter().filter(|value| !is_private(value) && !pattern::has_hole(value.text))
    {
        if let Some(range) = Range::parse(value.text).and_then(Range::without_host_bits) {
            findings
                .push(Finding::at(Severity::Note, value.span).with("value", value.text).with("range", range));
        }
    }
    findings
}

/// Ids of networks and their endpoints.
pub(super) fn endpoint(text: &str, prefix: &str) -> Option<Fault> {
    let kind = match text.strip_prefix(prefix) {
        Some(id) if is_placeholder(text) || !id.bytes().any(|byte| byte.is_ascii_digit()) => return None,
        Some(id) if id.bytes().all(|byte| byte.is_ascii_hexdigit()) => return None,
        Some(_) => "the id has other characters than 0 to 9 and a to f",
        None if text.starts_with("vpce-") => "it is the id of an endpoint and of no network",
        None if text.starts_with("vpc-") => "it is the id of a network and of no endpoint",
        None if text.starts_with("arn:") => "it is an ARN and no id",
        None if Range::parse(text).is_some() => "it is a range of addresses and no id",
        None => return None,
    };
    let expected = format!("write an id that begins with `{prefix}`");
    let meant = match prefix {
        "vpc-" if text.starts_with("vpce-") => Some("aws:SourceVpce"),
        "vpce-" if text.starts_with("vpc-") => Some("aws:SourceVpc"),
        _ => None,
    };
    Some(match meant {
        Some(key) => Fault::new(kind, format!("use `{key}`, or {expected}")),
        None => Fault::new(kind, expected),
    })
}

/// What stands at the end of every name of a service in `kms:ViaService`.
const SUFFIX: &str = ".amazonaws.com";

/// The service and the Region that pass a request on. `pattern` says that `*` and `?` are wildcards in the text.
pub(super) fn via_service(text: &str, pattern: bool) -> Option<Fault> {
    const EXPECTED: &str = "write the service and its Region, such as `ec2.us-east-1.amazonaws.com`";
    if text.ends_with(".amazonaws.com.cn") {
        let meant = text.strip_suffix(".cn").map(str::to_owned);
        return Some(Fault::new("the name ends in `.amazonaws.com` in China too", EXPECTED).meaning(meant));
    }
    if pattern {
        return None;
    }
    let Some(name) = text.strip_suffix(SUFFIX) else {
        // `ec2`, or `ec2.us-east-1`.
        let last = text.rsplit('.').next().unwrap_or_default();
        let meant = is_region(last) && last != text;
        return ((meant || !text.contains(['.', ' '])) && !is_placeholder(text) && !text.is_empty()).then(
            || {
                Fault::new(format!("the name ends in `{SUFFIX}`"), EXPECTED)
                    .meaning(meant.then(|| format!("{text}{SUFFIX}")))
            },
        );
    };
    match name.split('.').collect::<Vec<_>>().as_slice() {
        [service] if !is_placeholder(service) && !service.contains(' ') => {
            Some(Fault::new("the Region is missing", EXPECTED))
        }
        [service, account] if is_account(account) => Some(Fault::new(
            format!("the Region stands behind `{service}`, and this is an account"),
            EXPECTED,
        )),
        [region, service] if is_region(region) && !is_region(service) && !is_placeholder(service) => {
            let meant = format!("{service}.{region}{SUFFIX}");
            // Snapshots of ElastiCache go by a name of another form.
            (!service.starts_with("elasticache"))
                .then(|| Fault::new("the service comes before the Region", EXPECTED).meaning(Some(meant)))
        }
        _ => None,
    }
}

/// Whether a text has the form of a Region: `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let mut parts = text.split('-').rev();
    let number =
        parts.next().is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let rest: Vec<&str> = parts.collect();
    let named = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    number && rest.len() >= 2 && rest.iter().all(named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pretty_assertions::assert_eq;

    #[test]
    fn services_are_named_with_their_region() {
        let right = [
            "ec2.us-east-1.amazonaws.com",
            "s3.us-gov-west-1.amazonaws.com",
            "sqlworkbench.region.amazonaws.com",
            "a.b.us-east-1.amazonaws.com",
            "<service>.amazonaws.com",
        ];
        let wrong = [
            "ec2.amazonaws.com",
            "ec2",
            "ec2.us-east-1",
            "ec2.111122223333.amazonaws.com",
            "us-east-1.ec2.amazonaws.com",
            "ec2.cn-north-1.amazonaws.com.cn",
        ];
        for text in right {
            assert_eq!((text, via_service(text, false).is_some()), (text, false));
        }
        for text in wrong {
            assert_eq!((text, via_service(text, false).is_some()), (text, true));
        }
    }
}
