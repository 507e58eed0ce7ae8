# frozen_string_literal: true

class CartsController < ApplicationController
  def show; end

  def create
    product = Product.find(params[:product_id])
    return head :not_found if product.nil?

    cart.add(product)
    redirect_to cart_path, notice: "「#{product.name}」をカートに入れました。"
  end

  def destroy
    cart.empty!
    redirect_to root_path, notice: "カートを空にしました。"
  end
end
