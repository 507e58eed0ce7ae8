# frozen_string_literal: true

module ApplicationHelper
  def yen(amount)
    "¥#{number_with_delimiter(amount)}"
  end

  # Which image serves this page: set by whoever starts the container.
  def image_name
    ENV.fetch("SHOP_IMAGE", "")
  end
end
