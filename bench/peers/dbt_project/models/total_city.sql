{{ total('city', 'county') }}
