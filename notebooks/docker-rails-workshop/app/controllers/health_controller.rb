# frozen_string_literal: true

# Answers load balancers and the image's HEALTHCHECK: the shop is up when it can answer at all.
class HealthController < ActionController::Base
  def show
    render plain: "OK"
  end
end
