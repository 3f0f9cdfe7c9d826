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
}  // namespace geo
static volatile int sink;
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
  return total;
}
