//! What there is to ask for, as data: dimensions, measures with their formulas, stages of a call, columns of rows.

mod columns;
mod dimension;
mod measure;

pub(crate) use columns::{CALL_COLUMNS, Column, LEG_COLUMNS, Shape};
pub(crate) use dimension::{DIMENSIONS, Dimension, Rolled};
pub(crate) use measure::{How, MEASURES, Measure, STAGES, Stage, Unit, measure};
