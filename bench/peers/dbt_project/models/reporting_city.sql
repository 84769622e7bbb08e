{{ reporting('city', 'county') }}
