# frozen_string_literal: true

# What a customer wants to buy: product ids and counts, kept in the session's cookie.
class Cart
  Line = Struct.new(:product, :count) do
    def price
      product.price * count
    end
  end

  MOST_OF_ONE = 99

  def initialize(counts)
    @counts = counts
  end

  def add(product)
    @counts[product.id] = [@counts.fetch(product.id, 0) + 1, MOST_OF_ONE].min
  end

  def empty!
    @counts.clear
  end

  def lines
    @counts.filter_map do |id, count|
      product = Product.find(id)
      Line.new(product, count) if product
    end
  end

  def count
    lines.sum(&:count)
  end

  def total
    lines.sum(&:price)
  end
end
