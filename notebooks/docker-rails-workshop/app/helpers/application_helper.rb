# frozen_string_literal: true

module ApplicationHelper
  def yen(amount)
    "¥#{number_with_delimiter(amount)}"
  end

  # Which image serves this page, by tag and by digest: set by whoever starts the container.
  def image_name
    ENV.fetch("SHOP_IMAGE", "")
  end

  def image_digest
    ENV.fetch("SHOP_IMAGE_DIGEST", "")
  end
end
