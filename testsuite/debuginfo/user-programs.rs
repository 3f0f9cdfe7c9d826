// What Rust does to debug information, in one small program.
mod geo {
    pub struct Point { pub x: i32, pub y: i64 }
    impl Point {
        #[inline(never)]
        pub fn dot(&self, other: &Point) -> i64 {
            let sum = self.x as i64 * other.x as i64;
            sum + self.y * other.y
        }
    }
    #[inline(never)]
    pub fn total(points: &[Point; 2], flag: bool) -> i64 {
        let mut sum = 0i64;
        for p in points.iter() {
            if flag { sum += p.dot(p); }
        }
        sum
    }
}
fn main() {
    let points = [geo::Point { x: 1, y: 2 }, geo::Point { x: 3, y: 4 }];
    let flag = std::env::args().count() > 0;
    std::process::exit(geo::total(&points, flag) as i32);
}
