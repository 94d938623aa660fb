#include "bench/onednn_yardstick.h"

#include <cstring>
#include <dnnl.hpp>

namespace cinnabar::bench {
namespace {

using dnnl::memory;

struct Products {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  struct One {
    dnnl::matmul op;
    memory x, w, out;
  };
  std::vector<One> all;
};

void fill(memory& m, unsigned seed) {
  auto* bytes = static_cast<unsigned char*>(m.get_data_handle());
  const std::size_t size = m.get_desc().get_size();
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<unsigned char>((seed += 2654435761u) >> 25);
}

}  // namespace

std::function<void()> onednn_products(const std::vector<ProductShape>& shapes, std::int64_t rows) {
  auto products = std::make_shared<Products>();
  for (const ProductShape& shape : shapes) {
    const memory::desc x({rows, shape.inputs}, memory::data_type::u8, memory::format_tag::ab);
    const memory::desc w({shape.inputs, shape.outputs}, memory::data_type::s8, memory::format_tag::any);
    const memory::desc out({rows, shape.outputs}, memory::data_type::s32, memory::format_tag::ab);
    const dnnl::matmul::primitive_desc plan(dnnl::matmul::desc(x, w, out), products->engine);
    Products::One one{dnnl::matmul(plan), memory(plan.src_desc(), products->engine),
                      memory(plan.weights_desc(), products->engine), memory(plan.dst_desc(), products->engine)};
    fill(one.x, 1);
    fill(one.w, 2);
    products->all.push_back(one);
  }
  return [products] {
    for (Products::One& one : products->all) {
      one.op.execute(products->stream, {{DNNL_ARG_SRC, one.x}, {DNNL_ARG_WEIGHTS, one.w}, {DNNL_ARG_DST, one.out}});
    }
    products->stream.wait();
  };
}

}  // namespace cinnabar::bench
