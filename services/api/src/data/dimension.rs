//! What can be filtered and grouped by: a closed list, so that no name of a column ever comes from a request.

/// A dimension of legs.
#[derive(Debug)]
pub(crate) struct Dimension {
    /// In the API.
    pub(crate) name: &'static str,
    /// For people.
    pub(crate) label: &'static str,
    /// In `leg_facts`, `leg_stats` and `legs`.
    pub(crate) column: &'static str,
    /// Which roll-ups have it.
    pub(crate) rolled: Rolled,
}

/// The roll-ups that have a dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rolled {
    /// None: it is in `leg_facts` alone.
    No,
    /// `leg_stats`.
    Stats,
    /// `leg_stats` and `leg_latencies`.
    Latencies,
}

const fn of(name: &'static str, label: &'static str, column: &'static str, rolled: Rolled) -> Dimension {
    Dimension { name, label, column, rolled }
}

/// All dimensions.
pub(crate) static DIMENSIONS: [Dimension; 15] = [
    of("tenant", "Tenant", "tenant_id", Rolled::Latencies),
    of("app", "App", "app_id", Rolled::Latencies),
    of("app_version", "App version", "app_version", Rolled::Latencies),
    of("platform", "Platform", "platform", Rolled::Stats),
    of("os_major", "OS major version", "os_major", Rolled::Stats),
    of("os_version", "OS version", "os_version", Rolled::No),
    of("device_model", "Device model", "device_model", Rolled::No),
    of("country", "Country", "country", Rolled::Stats),
    of("carrier", "Carrier", "carrier", Rolled::No),
    of("network", "Network", "network", Rolled::No),
    of("channel", "Push channel", "channel", Rolled::Stats),
    of("build_channel", "Build channel", "build_channel", Rolled::Stats),
    of("verdict", "Report verdict", "verdict", Rolled::No),
    of("outcome", "Outcome", "outcome", Rolled::No),
    of("diagnosis", "Diagnosis", "diagnoses", Rolled::No),
];

impl Dimension {
    /// The dimension of a name.
    pub(crate) fn named(name: &str) -> Option<&'static Dimension> {
        DIMENSIONS.iter().find(|dimension| dimension.name == name)
    }

    /// Its value as text in a row; unknown is the empty text.
    pub(crate) fn text(&self) -> &'static str {
        match self.name {
            "os_major" => "if(os_major = 0, '', toString(os_major))",
            // A leg counts under each of its diagnoses.
            "diagnosis" => "arrayJoin(if(empty(diagnoses), [''], arrayMap(code -> toString(code), diagnoses)))",
            "tenant" => "toString(tenant_id)",
            "app" => "toString(app_id)",
            "app_version" => "toString(app_version)",
            "platform" => "toString(platform)",
            "os_version" => "toString(os_version)",
            "device_model" => "toString(device_model)",
            "country" => "toString(country)",
            "carrier" => "toString(carrier)",
            "network" => "toString(network)",
            "channel" => "toString(channel)",
            "build_channel" => "toString(build_channel)",
            "verdict" => "toString(verdict)",
            _ => "toString(outcome)",
        }
    }

    /// What tells its values apart in a grouping.
    pub(crate) fn hash(&self) -> String {
        match self.name {
            "os_major" => "os_major".to_owned(),
            "diagnosis" => self.text().to_owned(),
            _ => format!("cityHash64({})", self.column),
        }
    }

    /// Its value as text in a group by [`hash`](Self::hash).
    pub(crate) fn any(&self) -> String {
        match self.name {
            "os_major" | "diagnosis" => self.text().to_owned(),
            _ => format!("toString(any({}))", self.column),
        }
    }

    /// The condition that takes wanted values, of a parameter `filter_<name>`.
    pub(crate) fn condition(&self) -> String {
        let name = self.name;
        match name {
            "diagnosis" => {
                let wanted = "{filter_diagnosis:Array(String)}";
                format!("(hasAny(diagnoses, {wanted}) OR (empty(diagnoses) AND has({wanted}, '')))")
            }
            "os_major" => "toString(os_major) IN {filter_os_major:Array(String)}".to_owned(),
            _ => format!("{} IN {{filter_{name}:Array(String)}}", self.column),
        }
    }
}
