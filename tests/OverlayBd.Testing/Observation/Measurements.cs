// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;

namespace OverlayBd.Testing.Observation;

/// <summary>What a meter measures while this exists. Meters are the process's: other tests measure, too, so look for tags of your own.</summary>
public sealed class Measurements : IDisposable
{
    private readonly ConcurrentQueue<(string Name, string Tags, double Value)> _all = new();
    private readonly MeterListener _listener = new();

    /// <summary>Begins to listen.</summary>
    /// <param name="meter">The meter's name.</param>
    public Measurements(string meter)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == meter)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>The sum of what an instrument measured.</summary>
    /// <param name="name">The instrument.</param>
    /// <param name="tags">All tags, as <c>key=value</c>.</param>
    public double Sum(string name, params string[] tags) => Find(name, tags).Sum();

    /// <summary>How often an instrument measured.</summary>
    /// <param name="name">The instrument.</param>
    /// <param name="tags">All tags, as <c>key=value</c>.</param>
    public int Count(string name, params string[] tags) => Find(name, tags).Count();

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private IEnumerable<double> Find(string name, string[] tags)
    {
        string wanted = string.Join(' ', tags.Order(StringComparer.Ordinal));
        return _all.Where(measured => measured.Name == name && measured.Tags == wanted).Select(measured => measured.Value);
    }

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        IEnumerable<string> texts = tags.ToArray().Select(tag => string.Create(CultureInfo.InvariantCulture, $"{tag.Key}={tag.Value}"));
        _all.Enqueue((instrument.Name, string.Join(' ', texts.Order(StringComparer.Ordinal)), value));
    }
}
