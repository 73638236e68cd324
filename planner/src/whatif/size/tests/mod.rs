mod answers;
mod programs;
mod worlds;
