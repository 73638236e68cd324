//! Benchmarks of restow over generated clusters; `README.md` holds the figures and how they were measured.
