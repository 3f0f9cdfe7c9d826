// What C++ and its compilers do to debug information, in one small program.
namespace geo {
struct Base { int id; virtual ~Base() {} virtual int area() const { return id; } };
struct Far { long far; short near[3]; };
class Point : public Base, public Far {
 public:
  enum class Kind : unsigned char { plain, odd };
  explicit Point(int x, int y = 2) : x_(x), y_(y) {}
  int area() const override;
  int dot(const Point &other) const;
  Point &operator+=(Point &&other);
  static int made;

 private:
  int x_, y_;
  Kind kind_ = Kind::odd;
};
int Point::made = 0;
int Point::area() const { return x_ * y_; }
int Point::dot(const Point &other) const {
  int sum = x_ * other.x_;
  return sum + y_ * other.y_;
}
Point &Point::operator+=(Point &&other) {
  x_ += other.x_;
  made++;
  return *this;
}
namespace {
__attribute__((noinline)) int unseen(const Point *p) { return p->area() * 3; }
}
template <typename T, int N> struct Row {
  T cells[N];
  __attribute__((noinline)) T sum() const {
    T all = 0;
    for (const T &cell : cells) all += cell;
    return all;
  }
};
struct Root { long before; virtual ~Root() {} };
struct Left : virtual Root { int left; };
struct Right : virtual Root { union { int word; char byte; }; unsigned narrow : 5, wide : 11; };
struct Both : Left, Right { int both; __attribute__((noinline)) long all() const { return before + left + word + wide + both; } };
template <typename First, typename... Rest> struct Chain { First first; Chain<Rest...> rest; };
template <typename Last> struct Chain<Last> { Last last; };
inline namespace v2 {
__attribute__((noinline)) int chained(const Chain<int, Point *, double> &chain) { return chain.first + chain.rest.first->id; }
}
}  // namespace geo
static volatile int sink;
__attribute__((noinline)) static int called(int (geo::Point::*method)(const geo::Point &) const, int geo::Point::*,
                                            geo::Point &p, decltype(nullptr)) {
  auto closure = [&p, method](auto times) __attribute__((noinline)) {
    int step = (p.*method)(p) * times;
    sink = step;
    return step;
  };
  struct Local {
    int scale;
    __attribute__((noinline)) int scaled(int n) { return n * scale; }
  } local{sink};
  return closure(3) + local.scaled(closure(short(4)));
}
static inline __attribute__((always_inline)) int inlined(int q) {
  int z = q + sink;
  sink = z;
  return z;
}
#ifdef OTHER
int only_there(int n) { return n + 1; }
#endif
int main(int argc, char **) {
  geo::Point a(1), b(argc, 4);
  geo::Row<short, 3> row = {{1, 2, short(argc)}};
  a += geo::Point(argc, inlined(argc));
  int *slow = new int(3);
  int total = a.dot(b) + geo::unseen(&a) + row.sum() + *slow;
  delete slow;
  geo::Both both;
  both.left = both.both = argc;
  both.word = both.narrow = both.wide = 1;
  both.before = 2;
  total += static_cast<int>(both.all()) + geo::chained({argc, {&a, {1.5}}});
  total += called(&geo::Point::dot, nullptr, b, nullptr);
  return total;
}
