# frozen_string_literal: true

class ApplicationController < ActionController::Base
  protect_from_forgery with: :exception

  helper_method :cart

  private

  def cart
    @cart ||= Cart.new(session[:cart] ||= {})
  end
end
