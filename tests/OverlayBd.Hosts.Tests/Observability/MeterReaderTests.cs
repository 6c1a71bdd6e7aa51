// SPDX-License-Identifier: Apache-2.0

extern alias backstore;

using System.Diagnostics.Metrics;
using backstore::OverlayBd.Backstore.Observability.Metrics;
using Microsoft.Extensions.Logging.Abstractions;

namespace OverlayBd.Hosts.Tests.Observability;

public sealed class MeterReaderTests : IDisposable
{
    private readonly Meter _meter = new("OverlayBd.Backstore");
    private readonly MeterReader _reader = new(NullLogger.Instance);
    private readonly string _prefix = "test.x" + Guid.NewGuid().ToString("N");

    private string Shown => _prefix.Replace('.', '_');

    public void Dispose()
    {
        _reader.Dispose();
        _meter.Dispose();
    }

    [Fact]
    public void Counter_IsAddedUp_ByItsTags()
    {
        Counter<long> counter = _meter.CreateCounter<long>(_prefix, "By");
        counter.Add(1, new KeyValuePair<string, object?>("http.status", 200));
        counter.Add(2, new KeyValuePair<string, object?>("http.status", 200));
        counter.Add(4, new KeyValuePair<string, object?>("http.status", 500));
        ScrapedText text = Read();
        Assert.Equal(3, text[Shown + "_bytes_total{http_status=\"200\"}"]);
        Assert.Equal(4, text[Shown + "_bytes_total{http_status=\"500\"}"]);
        Assert.Equal("counter", text.Types[Shown + "_bytes_total"]);
    }

    [Fact]
    public void Counter_OfAMeterThatHasGone_KeepsItsTotal()
    {
        using (Meter other = new("OverlayBd.Backstore"))
        {
            other.CreateCounter<long>(_prefix).Add(5);
        }

        _meter.CreateCounter<long>(_prefix).Add(1);
        Assert.Equal(6, Read()[Shown + "_total"]);
    }

    [Fact]
    public void ObservableCounters_OfOneName_AreAddedUp_AndNotTwice()
    {
        using Meter other = new("OverlayBd.Backstore");
        other.CreateObservableCounter(_prefix, () => 5L);
        _meter.CreateObservableCounter(_prefix, () => 2L);
        Assert.Equal(7, Read()[Shown + "_total"]);
        Assert.Equal(7, Read()[Shown + "_total"]);
    }

    [Fact]
    public void Observable_ThatThrows_HidesNothingElse()
    {
        _meter.CreateObservableGauge(_prefix + ".bad", (Func<int>)(() => throw new InvalidOperationException("bad")));
        _meter.CreateObservableGauge(_prefix + ".good", () => 3);
        Assert.Equal(3, Read()[Shown + "_good"]);
    }

    [Fact]
    public void UpDownCounter_Falls()
    {
        UpDownCounter<long> counter = _meter.CreateUpDownCounter<long>(_prefix);
        counter.Add(3);
        counter.Add(-1);
        Assert.Equal(2, Read()[Shown]);
        Assert.Equal("gauge", Read().Types[Shown]);
    }

    [Fact]
    public void Histogram_HasTheBucketsItWasAdvised()
    {
        Histogram<double> histogram = _meter.CreateHistogram(
            _prefix, "s", null, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.5, 2] });
        foreach (double value in (double[])[0.1, 0.5, 1, 10])
        {
            histogram.Record(value);
        }

        ScrapedText text = Read();
        Assert.Equal(2, text[Shown + "_seconds_bucket{le=\"0.5\"}"]);
        Assert.Equal(3, text[Shown + "_seconds_bucket{le=\"2\"}"]);
        Assert.Equal(4, text[Shown + "_seconds_bucket{le=\"+Inf\"}"]);
        Assert.Equal(4, text[Shown + "_seconds_count"]);
        Assert.Equal(11.6, text[Shown + "_seconds_sum"], 1e-9);
    }

    [Fact]
    public void Tags_WithoutEnd_EndInOneSeries()
    {
        Counter<long> counter = _meter.CreateCounter<long>(_prefix);
        for (int i = 0; i < 30_000; i++)
        {
            counter.Add(1, new KeyValuePair<string, object?>("i", i));
        }

        ScrapedText text = Read();
        Assert.Equal(10_000, text[Shown + "_total{otel_metric_overflow=\"true\"}"]);
    }

    [Fact]
    public void OtherMeters_AreNotShown()
    {
        using Meter other = new("Somebody.Else");
        other.CreateCounter<long>(_prefix).Add(1);
        Assert.DoesNotContain(Shown + "_total", Read().Samples.Keys);
    }

    private ScrapedText Read()
    {
        PrometheusText text = new();
        _reader.WriteTo(text);
        return new(text.ToString());
    }
}
