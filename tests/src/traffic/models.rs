//! What the fleet is made of: apps, versions, hardware, storefronts. All of it is fictional but for names of products.

/// An app of a tenant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct App {
    pub(super) id: &'static str,
    /// `None` is the default tenant.
    pub(super) tenant: Option<&'static str>,
    /// Versions in the field, with their weights.
    pub(super) versions: &'static [(u64, &'static str)],
    /// Whether its server writes times as RFC 3339 texts.
    pub(super) writes_text_times: bool,
}

/// The version of [`TALK`] that reports too few of its pushes.
pub(super) const AT_RISK_VERSION: &str = "5.3.0";

/// A consumer app, with a version at risk.
pub(super) static TALK: App = App {
    id: "com.acme.talk",
    tenant: None,
    versions: &[(45, "5.2.4"), (25, AT_RISK_VERSION), (30, "5.3.1")],
    writes_text_times: false,
};

/// An app of hospital staff, who often have Do Not Disturb on.
pub(super) static CARE: App = App {
    id: "com.globex.care",
    tenant: Some("globex"),
    versions: &[(80, "2.9.0"), (20, "2.8.3")],
    writes_text_times: true,
};

/// An app that is also in the App Store of mainland China; its older version uses CallKit there.
pub(super) static MEET: App = App {
    id: "net.initech.meet",
    tenant: Some("initech"),
    versions: &[(70, "8.1.0"), (30, "8.0.2")],
    writes_text_times: false,
};

/// Apps with their weights.
pub(super) const APPS: &[(u64, &App)] = &[(60, &TALK), (20, &CARE), (20, &MEET)];

/// iOS versions with their weights; `mustReport` came with 26.4.
pub(super) const IOS: &[(u64, &str)] =
    &[(3, "15.8.3"), (5, "16.7.10"), (15, "17.6.1"), (27, "18.6.2"), (20, "26.3.1"), (30, "26.4.1")];

/// iPhone models.
pub(super) const IPHONES: &[&str] =
    &["iPhone12,1", "iPhone13,2", "iPhone14,5", "iPhone15,2", "iPhone16,1", "iPhone17,1", "iPhone18,3"];

/// The Android model whose pushes often lose their high priority.
pub(super) const LOWERED_MODEL: &str = "Redmi Note 13";

/// Android models with their versions and weights.
pub(super) const ANDROIDS: &[(u64, (&str, &str))] =
    &[(30, ("Pixel 9", "16")), (35, ("SM-S931B", "15")), (25, (LOWERED_MODEL, "14")), (10, ("moto g84", "13"))];

/// Storefronts with their carriers and weights.
pub(super) const PLACES: &[(u64, (&str, &[&str]))] = &[
    (30, ("US", &["Northcell", "Prairie Mobile"])),
    (20, ("DE", &["Funknetz", "Rheinmobil"])),
    (12, ("GB", &["Albion"])),
    (10, ("FR", &["Hexacom"])),
    (10, ("IN", &["Bharat One"])),
    (8, ("BRA", &["Verde Celular"])),
    (10, ("JPN", &["Sakura Mobile"])),
];

/// The storefront of mainland China, as the two forms in which it is given.
pub(super) const CHINA: &[&str] = &["CN", "CHN"];
