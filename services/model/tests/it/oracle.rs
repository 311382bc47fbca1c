//! The fast parser against `serde_json` and a plain reading of the contract's section 2: same accept, same values,
//! same reason.
