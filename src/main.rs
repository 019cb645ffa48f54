//! plimsoll: capacity and cost planning for containers on AWS.

fn main() {}
