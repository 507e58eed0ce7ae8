# frozen_string_literal: true

require_relative "boot"

# Rails 6.1 expects the standard logger to be there before it.
require "logger"
require "rails"
require "action_controller/railtie"
require "action_view/railtie"

Bundler.require(*Rails.groups)

# The shop: goods, a cart in the customer's own signed cookie, and nothing kept on the server.
class Shop < Rails::Application
  config.load_defaults Rails::VERSION::STRING.to_f
  config.i18n.available_locales = %i[ja en]
  config.i18n.default_locale = :ja
  config.time_zone = "Tokyo"
  config.eager_load = Rails.env.production?
  config.consider_all_requests_local = !Rails.env.production?
  config.public_file_server.enabled = true
  config.public_file_server.headers = { "Cache-Control" => "public, max-age=3600" }

  # A container's log is its standard output.
  config.log_level = :info
  config.log_tags = [:request_id]
  config.logger = ActiveSupport::TaggedLogging.new(Logger.new($stdout))

  # Without its secret the shop does not start, instead of failing at a customer's first request.
  config.after_initialize { |app| app.secret_key_base }
end
