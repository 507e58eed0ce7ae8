# frozen_string_literal: true

Rails.application.routes.draw do
  root "products#index"
  resources :products, only: :show
  resource :cart, only: %i[show create destroy]
  get "up", to: "health#show"
end
