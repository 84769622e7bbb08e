{{ total('county', 'township') }}
