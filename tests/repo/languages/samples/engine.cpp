#include "engine.hpp"
#include <vector>

using std::string;
using namespace tools;

namespace core::parts {

/// Turns.
template <typename T>
class Wheel : public Base<T>, private tools::Named {
    int turns;

public:
    explicit Wheel(int size) : turns(size) {}
    virtual ~Wheel() = default;
    virtual void turn(const Axle &axle) = 0;
    static Wheel make();
    bool operator==(const Wheel &other) const { return turns == other.turns; }

private:
    void reset() { turns = 0; this->turn(Axle()); helper(); }
};

enum class Side : int { Left = 1, Right };

using Wheels = std::vector<Wheel<int>>;

}  // namespace core::parts

template <typename T>
core::parts::Wheel<T> core::parts::Wheel<T>::make()
{
    Axle axle(1);
    axle.inner->spin();
    auto *engine = new tools::Engine();
    engine->start(Side::Left);
    for (const auto &one : axle.all())
        one.stop();
    auto twice = [&](int count) { return count * turns; };
    reset();
    return twice(static_cast<int>(string("x").size()));
}

struct Local final {
    double weight{0}, height = 1;
};

TEST(WheelTest, Turns) { EXPECT_EQ(core::parts::Wheel<int>::make(), 1); }
