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
pub enum Shape { Circle(u32), Square { side: i64, at: (i16, u8) }, Nothing }
#[derive(Clone, Copy)]
pub enum Plain { One = 1, Far = -300 }
pub union Word { pub whole: u32, pub bytes: [u8; 4] }
pub struct Pair<A, B> { pub first: A, pub second: B }
pub trait Area { fn area(&self) -> i64; }
impl Area for Shape {
    #[inline(never)]
    fn area(&self) -> i64 {
        match self {
            Shape::Circle(radius) => 3 * *radius as i64,
            Shape::Square { side, at } => side * side + at.0 as i64,
            Shape::Nothing => 0,
        }
    }
}
#[inline(never)]
fn largest<T: PartialOrd + Copy>(list: &[T], least: T) -> T {
    let mut found = least;
    for item in list { if *item > found { found = *item; } }
    found
}
#[inline(never)]
fn mixed(pair: &Pair<u16, Option<&geo::Point>>, text: &str, plain: Plain, word: Word, shape: &dyn Area) -> i64 {
    let tuple = (pair.first, text.len());
    let add = |n: i64| n + tuple.1 as i64;
    let second = match pair.second { Some(p) => p.y, None => 0 };
    add(second) + plain as i64 + unsafe { word.whole } as i64 + shape.area() + tuple.0 as i64
}
fn main() {
    let shapes = vec![Shape::Circle(2), Shape::Square { side: 3, at: (1, 2) }, Shape::Nothing];
    let point = geo::Point { x: 1, y: 2 };
    let mut all: i64 = shapes.iter().map(|s| s.area()).sum();
    all += largest(&[1u8, 4, 2], 0) as i64 + largest(&[1.5f64, 4.5], 0.0) as i64;
    let pair = Pair { first: 5u16, second: Some(&point) };
    let plain = if all > 3 { Plain::One } else { Plain::Far };
    all += mixed(&pair, "text", plain, Word { whole: 7 }, &shapes[1]);
    if all == 1 { return; }
    let points = [geo::Point { x: 1, y: 2 }, geo::Point { x: 3, y: 4 }];
    let flag = std::env::args().count() > 0;
    std::process::exit(geo::total(&points, flag) as i32);
}
