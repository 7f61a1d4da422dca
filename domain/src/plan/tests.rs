//! The planner on the shapes that phones, cameras and screen recorders really make, and its laws.

mod carousels;
mod laws;
mod shapes;
