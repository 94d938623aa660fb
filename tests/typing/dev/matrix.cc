#include <algorithm>
#include <cassert>
#include <iostream>
#include <stdexcept>
#include <vector>

class Matrix {
 public:
  Matrix(std::size_t rows, std::size_t columns) : rows_(rows), columns_(columns), values_(rows * columns, 0.0) {}

  double& at(std::size_t row, std::size_t column) { return values_[row * columns_ + column]; }
  double at(std::size_t row, std::size_t column) const { return values_[row * columns_ + column]; }

  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }

  Matrix transposed() const {
    Matrix result(columns_, rows_);
    for (std::size_t i = 0; i < rows_; ++i) {
      for (std::size_t j = 0; j < columns_; ++j) {
        result.at(j, i) = at(i, j);
      }
    }
    return result;
  }

 private:
  std::size_t rows_, columns_;
  std::vector<double> values_;
};

Matrix operator*(const Matrix& a, const Matrix& b) {
  if (a.columns() != b.rows()) throw std::invalid_argument("sizes do not match");
  Matrix product(a.rows(), b.columns());
  for (std::size_t i = 0; i < a.rows(); ++i) {
    for (std::size_t j = 0; j < b.columns(); ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < a.columns(); ++k) sum += a.at(i, k) * b.at(k, j);
      product.at(i, j) = sum;
    }
  }
  return product;
}

std::ostream& operator<<(std::ostream& out, const Matrix& matrix) {
  for (std::size_t i = 0; i < matrix.rows(); ++i) {
    for (std::size_t j = 0; j < matrix.columns(); ++j) out << matrix.at(i, j) << ' ';
    out << '\n';
  }
  return out;
}
