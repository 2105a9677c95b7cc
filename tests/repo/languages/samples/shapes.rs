//! Shapes and their areas.

use std::{collections::HashMap, fmt::{self, Display as Show}};
use crate::units::*;
use super::grid;
mod paint;

/// Something with an area.
pub trait Area: Display + fmt::Debug {
    const SIDES: u32;
    type Unit;
    fn area(&self) -> Self::Unit;
    fn twice(&self) -> f64 { self.area() * 2.0 }
}

/// A square.
#[derive(Debug, Clone)]
pub struct Square<T: Copy> {
    pub side: T,
    names: HashMap<String, grid::Cell>,
}

struct Pair(f64, Square<f64>);

enum Kind { Round, Cornered { corners: u8 }, Other(Pair) }

impl<T: Copy> Square<T> {
    pub async fn new(side: T) -> Self {
        Self { side, names: HashMap::new() }
    }
}

impl Area for Square<f64> {
    const SIDES: u32 = 4;
    type Unit = f64;

    fn area(&self) -> f64 {
        let cell = grid::Cell::new(1);
        cell.paint(self.side)?;
        let square: &Square<f64> = crate::find("x");
        square.names.len();
        match kind {
            Kind::Cornered { corners, .. } => corners.max(1),
            Kind::Other(pair) => pair.total(),
            _ => Self::default().side,
        };
        self.each(|one: &Pair| one.weigh());
        println!("{}", self.side);
        scale(self.side)
    }
}

static mut COUNT: u32 = 0;

macro_rules! square { ($x:expr) => { $x * $x }; }

fn scale(value: f64) -> f64 { value * FACTOR }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales() {
        assert_eq!(scale(1.0), super::paint::mix(2));
    }
}
