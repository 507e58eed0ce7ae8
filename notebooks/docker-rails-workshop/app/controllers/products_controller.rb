# frozen_string_literal: true

class ProductsController < ApplicationController
  def index
    @products = Product.all
  end

  def show
    @product = Product.find(params[:id])
    render plain: "404 Not Found", status: :not_found if @product.nil?
  end
end
