# frozen_string_literal: true

# One process with a few threads: ECS adds tasks where more is needed.
threads 3, 3
port ENV.fetch("PORT", 3000)
environment ENV.fetch("RAILS_ENV", "production")
