//! The region in the name of one of AWS's hosts.
//!
//! Facts: the domains are `dnsSuffix` and `dualStackDnsSuffix` of the partitions in botocore 1.43's `partitions.json`; a
//! region is what `regionRegex` there admits: two or four letters, then words, then a number.

/// Under which a service's host is `SERVICE.REGION.DOMAIN`.
const DOMAINS: [&str; 13] = [
    "amazonaws.com",
    "api.aws",
    "amazonaws.com.cn",
    "api.amazonwebservices.com.cn",
    "amazonaws.eu",
    "api.amazonwebservices.eu",
    "c2s.ic.gov",
    "api.aws.ic.gov",
    "sc2s.sgov.gov",
    "api.aws.scloud",
    "cloud.adc-e.uk",
    "api.cloud-aws.adc-e.uk",
    "csp.hci.ic.gov",
];

/// The region that an AWS host's name tells: `us-east-1` of `bedrock-runtime.us-east-1.amazonaws.com`.
///
/// A port after the name is passed over. A name that is not AWS's, or tells none, gives none.
pub fn region_of_host(host: &str) -> Option<&str> {
    let name = host.split(':').next()?;
    let below = DOMAINS.iter().find_map(|domain| before(name, domain))?;
    below.rsplit('.').find(|label| is_region(label))
}

/// What stands before `.domain` in `name`.
fn before<'a>(name: &'a str, domain: &str) -> Option<&'a str> {
    let at = name.len().checked_sub(domain.len())?;
    let (below, end) = (name.get(..at)?, name.get(at..)?);
    if end.eq_ignore_ascii_case(domain) { below.strip_suffix('.') } else { None }
}

fn is_region(label: &str) -> bool {
    let mut parts = label.split('-');
    let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let geography = parts.next().is_some_and(|part| word(part) && matches!(part.len(), 2 | 4));
    let number =
        parts.next_back().is_some_and(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    let mut words = parts.peekable();
    geography && number && words.peek().is_some() && words.all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_read_from_an_aws_host() {
        for (host, region) in [
            ("bedrock-runtime.us-east-1.amazonaws.com", Some("us-east-1")),
            ("bedrock-runtime.us-east-1.amazonaws.com:443", Some("us-east-1")),
            ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
            ("bedrock-runtime.eu-central-2.api.aws", Some("eu-central-2")),
            ("bedrock-runtime.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("bedrock-runtime.eusc-de-east-1.amazonaws.eu", Some("eusc-de-east-1")),
            ("vpce-0a1b-2c3d.bedrock-runtime.ap-southeast-2.vpce.amazonaws.com", Some("ap-southeast-2")),
            ("Bedrock-Runtime.us-east-1.AmazonAWS.com", Some("us-east-1")),
            ("bedrock-runtime.amazonaws.com", None),
            ("amazonaws.com", None),
            ("bedrock-runtime.us-east-1.example.com", None),
            ("us-east-1.notamazonaws.com", None),
            ("127.0.0.1:8080", None),
            ("[::1]:8080", None),
            ("", None),
        ] {
            assert_eq!(region_of_host(host), region, "{host}");
        }
    }
}
