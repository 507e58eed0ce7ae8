# frozen_string_literal: true

# The goods on the shelf. They stand in the program: the shop needs no database.
class Product < Struct.new(:id, :name, :price, :maker, :description, keyword_init: true)
  ALL = [
    new(id: "sencha", name: "深蒸し煎茶 100g", price: 1_180, maker: "静岡・牧之原",
        description: "朝いちばんに淹れたい、まろやかな深蒸し茶です。"),
    new(id: "yunomi", name: "美濃焼の湯のみ", price: 1_980, maker: "岐阜・土岐",
        description: "手になじむ丸みと、ぽってりとした釉薬が自慢です。"),
    new(id: "furoshiki", name: "藍染めの風呂敷", price: 2_640, maker: "徳島・藍住",
        description: "お弁当からワインまで、何でも包める一枚です。"),
    new(id: "notebook", name: "和綴じノート", price: 880, maker: "高知・いの",
        description: "万年筆でもにじみにくい土佐和紙を使いました。"),
    new(id: "honey", name: "みかんのはちみつ", price: 1_620, maker: "愛媛・宇和島",
        description: "みかんの花だけから集めた、さわやかな香りです。"),
    new(id: "candle", name: "はぜの和ろうそく", price: 1_350, maker: "京都・伏見",
        description: "すすが少なく、やわらかくゆれる灯りです。")
  ].each(&:freeze).freeze

  def self.all
    ALL
  end

  def self.find(id)
    ALL.find { |product| product.id == id }
  end

  # The product's id stands in its address.
  def to_param
    id
  end

  def picture
    "/goods/#{id}.svg"
  end
end
