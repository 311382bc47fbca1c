//! The tables of the contract, case by case.
